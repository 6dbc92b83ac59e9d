import { Failure } from '@pointsman/core/domain/failure'
import type { LedgerState } from '@pointsman/core/ports/ledger'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { rebuildOf } from '../status/rebuild-report.ts'
import type { ApiDeps } from './api-deps.ts'
import { type HealthReport, healthReport } from './health-report.ts'
import { refusals, typed } from './route.ts'

const readiness = z.object({ status: z.enum(['ready', 'not ready']), reasons: z.array(z.string()) })

export function healthRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const { board, metrics } = deps
  const routes = typed(app)

  routes.route({
    method: 'GET',
    url: '/healthz',
    schema: {
      summary: 'The process lives',
      tags: ['health'],
      response: { 200: z.object({ status: z.literal('alive') }) }
    },
    handler: async () => ({ status: 'alive' as const })
  })
  routes.route({
    method: 'GET',
    url: '/readyz',
    schema: { summary: 'All parts answer', tags: ['health'], response: { 200: readiness, 503: readiness } },
    handler: async (_, reply) => {
      const { ready, reasons } = board.readiness()
      const status = ready ? ('ready' as const) : ('not ready' as const)
      return reply.code(ready ? 200 : 503).send({ status, reasons: [...reasons] })
    }
  })
  routes.route({
    method: 'GET',
    url: '/v1/health',
    schema: {
      summary: 'How the parts are, and how far a rebuild of the ledger is',
      description: 'Answers 200 whatever the state is: it is told in the answer.',
      tags: ['health'],
      response: { 200: healthReport, ...refusals }
    },
    handler: async () => await readHealth(deps)
  })
  routes.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      summary: 'For Prometheus',
      tags: ['health'],
      response: {
        200: { description: 'Prometheus text format', content: { 'text/plain': { schema: z.string() } } }
      }
    },
    handler: async (_, reply) => {
      const { contentType, body } = await metrics.render()
      // Text already: the serializer would make JSON of it.
      return reply.serializer(String).type(contentType).send(body)
    }
  })
}

async function readHealth({ board, parts }: Pick<ApiDeps, 'board' | 'parts'>): Promise<HealthReport> {
  const state = await known(parts.ledger.state())
  const rebuild = state === undefined ? null : rebuildOf(state)
  const { ready, reasons } = board.readiness()
  const rebuilding = rebuild === null ? [] : [`the ledger is rebuilt: ${rebuild.because}`]
  return {
    status: rebuild !== null ? 'rebuilding' : ready && state !== undefined ? 'ready' : 'degraded',
    reasons: [...rebuilding, ...reasons],
    parts: [...board.parts()],
    ledgerId: state?.ledgerId ?? null,
    rebuild
  }
}

async function known(asked: Promise<LedgerState>): Promise<LedgerState | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}
