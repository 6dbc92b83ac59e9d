import OpenAI from 'openai'
import { startLocalOpenai } from '@pointsman/local-openai/start-local-openai'
import type { LocalOpenaiOptions } from '@pointsman/local-openai/start-local-openai'

export interface LocalOpenaiUnderTest extends AsyncDisposable {
  readonly url: string
  readonly adminUrl: string
  /** The official client, which retries nothing unless told. */
  client(maxRetries?: number): OpenAI
  /** A raw `POST /v1/embeddings`. */
  post(body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>
  get(route: string): Promise<unknown>
  put(route: string, body: unknown): Promise<unknown>
  delete(route: string): Promise<unknown>
}

export async function openLocalOpenai(options: LocalOpenaiOptions = {}): Promise<LocalOpenaiUnderTest> {
  const server = await startLocalOpenai(options)
  return {
    url: server.url,
    adminUrl: server.adminUrl,
    client: (maxRetries = 0) => new OpenAI({ baseURL: server.url, apiKey: 'test-key', maxRetries }),
    post: (body, headers) => postEmbeddings(server.url, body, headers),
    get: async route => await (await fetch(server.adminUrl + route)).json(),
    put: (route, body) => sendJson('PUT', server.adminUrl + route, body),
    delete: async route => await (await fetch(server.adminUrl + route, { method: 'DELETE' })).json(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]()
  }
}

export function postEmbeddings(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {}
): Promise<Response> {
  return fetch(`${url}/embeddings`, {
    method: 'POST',
    headers: { authorization: 'Bearer test-key', 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body)
  })
}

async function sendJson(method: string, url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  return await response.json()
}
