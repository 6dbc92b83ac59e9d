import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export type Reply = (response: ServerResponse, request: IncomingMessage) => void

export interface ScriptedProvider extends AsyncDisposable {
  /** Base URL for `OPENAI_BASE_URL`. */
  readonly url: string
  /** What was asked, in order. */
  readonly requests: { readonly method: string; readonly path: string; readonly body: string }[]
}

/** A provider that answers every request with `reply`. */
export async function openScriptedProvider(reply: Reply): Promise<ScriptedProvider> {
  const requests: { method: string; path: string; body: string }[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      requests.push({ method: request.method ?? '', path: request.url ?? '', body })
      reply(response, request)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await once(server.close(), 'close')
    }
  }
}

/** A JSON answer. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return response => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }
}

/** An error in OpenAI's envelope. */
export function apiError(
  status: number,
  error: {
    readonly message: string
    readonly type?: string
    readonly code?: string
    readonly param?: string
  },
  headers: Readonly<Record<string, string>> = {}
): Reply {
  const { code = null, message, param = null, type = 'invalid_request_error' } = error
  return json(status, { error: { message, type, param, code } }, headers)
}
