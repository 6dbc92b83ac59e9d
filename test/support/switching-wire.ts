// Stands between a client and Redis. What the client sends may be slowed, or held back until it is let go: late, in order.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as pass } from 'node:timers/promises'

export interface Wire extends AsyncDisposable {
  readonly url: string
  /** How long each piece takes to the server, from now on. */
  delayMs: number
  /** Nothing reaches the server from now on. */
  hold(): void
  /** All that was held goes on. */
  release(): void
  /** Pieces that are on their way or held. */
  readonly waiting: number
}

/** @param target - redis://host:port */
export async function openWire(target: string): Promise<Wire> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let gate = Promise.resolve()
  let open = (): void => undefined
  let waiting = 0
  const server = createServer(client => {
    const upstream = connect(Number(port), hostname)
    let sent = Promise.resolve()
    const forward = async (piece: Buffer, arrival: Promise<void>): Promise<void> => {
      await arrival
      await gate
      waiting -= 1
      if (upstream.writable) upstream.write(piece)
    }
    client.on('data', (piece: Buffer) => {
      waiting += 1
      const arrival = wire.delayMs === 0 ? Promise.resolve() : pass(wire.delayMs)
      sent = sent.then(() => forward(piece, arrival))
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
        // Redis carries out what has reached it, also of a client that is gone.
        void sent.then(() => other.destroy())
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const own = typeof address === 'object' && address !== null ? address.port : 0
  const wire: Wire = {
    url: `redis://127.0.0.1:${own}`,
    delayMs: 0,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      open = resolve
    },
    release: () => open(),
    get waiting() {
      return waiting
    },
    async [Symbol.asyncDispose]() {
      open()
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }
  return wire
}
