import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { ApiDeps } from './api-deps.ts'
import { typed } from './route.ts'

const readiness = z.object({ status: z.enum(['ready', 'not ready']), reasons: z.array(z.string()) })

export function healthRoutes(app: FastifyInstance, { board, metrics }: ApiDeps): void {
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
