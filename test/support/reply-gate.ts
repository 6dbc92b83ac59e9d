import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

/** Stands between clients and a server: it can be shut, and can lose the next reply together with its connection. */
export interface Gate extends AsyncDisposable {
  readonly url: string
  loseNextReply(): void
  close(): void
  reopen(): Promise<void>
}

export async function openGate(serverUrl: string): Promise<Gate> {
  const target = new URL(serverUrl)
  const sockets = new Set<Socket>()
  let loses = false
  const server = createServer(client => {
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket
        .on('error', () => undefined)
        .on('close', () => {
          client.destroy()
          upstream.destroy()
          sockets.delete(socket)
        })
    }
    client.pipe(upstream)
    upstream.on('data', data => {
      if (loses) {
        loses = false
        client.destroy()
      } else client.write(data)
    })
  })
  const listen = (port: number): Promise<void> =>
    new Promise(resolve => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const close = (): void => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    loseNextReply: () => {
      loses = true
    },
    close,
    reopen: () => listen(port),
    [Symbol.asyncDispose]: async () => close()
  }
}
