// Stands between a client and Redis, and holds back what the client sends from a certain call on: it comes late, in order.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** In the call that cuts to the batch lane by detach, and in no other: default lane and release, as Redis gets them. */
export const cutToBatch = '$5\r\nbatch\r\n$4\r\nopen\r\n'

export interface Wire extends AsyncDisposable {
  readonly url: string
  /**
   * From the piece on that has this text in it, nothing reaches the server.
   * @returns when that piece has come.
   */
  hold(text: string): Promise<void>
  /** All that is held goes on, and what comes then. */
  release(): void
}

/** @param target - redis://host:port */
export async function openWire(target: string): Promise<Wire> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const caught = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  let trap: string | undefined
  let gate = Promise.resolve()

  const server = createServer(client => {
    const upstream = connect(Number(port), hostname)
    let sent = Promise.resolve()
    const forward = async (piece: Buffer, passed: Promise<void>): Promise<void> => {
      await passed
      if (upstream.writable) upstream.write(piece)
    }
    client.on('data', (piece: Buffer) => {
      if (trap !== undefined && piece.includes(trap)) {
        trap = undefined
        gate = released.promise
        caught.resolve()
      }
      const passed = gate
      sent = sent.then(() => forward(piece, passed))
    })
    upstream.pipe(client)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client]
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        // What a client has sent reaches the server, also when it is gone by then.
        void sent.then(() => other.destroy())
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const own = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `redis://127.0.0.1:${own}`,
    hold(text) {
      trap = text
      return caught.promise
    },
    release() {
      gate = Promise.resolve()
      released.resolve()
    },
    async [Symbol.asyncDispose]() {
      released.resolve()
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }
}
