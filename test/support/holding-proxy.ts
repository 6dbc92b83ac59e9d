// Stands between a client and an HTTP server, and holds single calls back: before the server has seen them, or when it
// has carried them out and the client does not know.
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'

export interface HeldCall {
  /** Lets it go on; a client that is gone does not keep the server from carrying it out. */
  release(): void
  /** Cuts the client's connection: it never learns what came of its call. */
  drop(): void
}

interface Trap {
  readonly call: string
  readonly stage: 'before' | 'after'
  readonly caught: (held: HeldCall) => void
}

export interface HoldingProxy extends AsyncDisposable {
  readonly origin: string
  /**
   * Holds the next such call.
   * @param call - method and path, `POST /v1/batches`.
   * @param stage - `before` the server hears of it, or `after` it has answered.
   * @returns when the call has got there.
   */
  hold(call: string, stage: Trap['stage']): Promise<HeldCall>
}

export async function openHoldingProxy(origin: string): Promise<HoldingProxy> {
  const traps: Trap[] = []
  const hold = async (
    incoming: IncomingMessage,
    response: ServerResponse,
    stage: Trap['stage']
  ): Promise<void> => {
    const { pathname } = new URL(incoming.url ?? '', origin)
    const call = `${incoming.method} ${pathname}`
    const index = traps.findIndex(trap => trap.call === call && trap.stage === stage)
    const [trap] = index < 0 ? [] : traps.splice(index, 1)
    if (trap === undefined) return
    await new Promise<void>(release => {
      const drop = (): void => {
        response.destroy()
        release()
      }
      trap.caught({ release, drop })
    })
  }

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(incoming)
    await hold(incoming, response, 'before')
    const { headers, method, url } = incoming
    const outgoing = request(new URL(url ?? '', origin), { method, headers })
    outgoing.end(body)
    const [answer]: IncomingMessage[] = await once(outgoing, 'response')
    if (answer === undefined) return
    const content = await bodyOf(answer)
    await hold(incoming, response, 'after')
    response.writeHead(answer.statusCode ?? 502, answer.headers).end(content)
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    origin: `http://127.0.0.1:${port}`,
    hold: (call, stage) => new Promise(caught => traps.push({ call, stage, caught })),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    }
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}
