import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { Metrics } from './metrics.ts'
import { messageOf } from './message-of.ts'

export interface Readiness {
  readonly ready: boolean
  /** Why it is not ready, for a person; empty when it is. */
  readonly reasons: readonly string[]
}

export interface HealthOptions {
  /** 0 takes any free port. */
  readonly port: number
  readonly host: string
  readonly metrics: Metrics
  readonly readiness: () => Readiness | Promise<Readiness>
}

export interface HealthServer extends AsyncDisposable {
  /** `http://host:port` */
  readonly url: string
}

/**
 * The three questions that every service answers: `/healthz` (the process lives: 200), `/readyz` (200, or 503 with
 * the reasons) and `/metrics`. Nothing here changes anything, and nothing needs a token.
 */
export async function openHealthServer(options: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0]
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return answer(response, 405, { status: 'GET only' })
    if (path === '/healthz') return answer(response, 200, { status: 'alive' })
    if (path === '/readyz') return void guarded(response, answerReadiness(response, options))
    if (path === '/metrics') return void guarded(response, answerMetrics(response, options))
    answer(response, 404, { status: 'ask /healthz, /readyz or /metrics' })
  })
  server.listen(options.port, options.host)
  await once(server, 'listening')

  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  return {
    url: `http://${options.host}:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}

async function answerReadiness(response: ServerResponse, { readiness }: HealthOptions): Promise<void> {
  const { ready, reasons } = await readiness()
  answer(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', reasons })
}

async function answerMetrics(response: ServerResponse, { metrics }: HealthOptions): Promise<void> {
  const { contentType, body } = await metrics.render()
  response.writeHead(200, { 'content-type': contentType }).end(body)
}

/** A question about health must never be what ends the process. */
async function guarded(response: ServerResponse, answering: Promise<void>): Promise<void> {
  try {
    await answering
  } catch (error) {
    answer(response, 500, { status: messageOf(error) })
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
}
