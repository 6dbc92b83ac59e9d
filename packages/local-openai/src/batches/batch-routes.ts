import type { FastifyInstance, FastifyRequest } from 'fastify'
import { answerRoute } from '../answer-route.ts'
import type { FaultQuestion } from '../fault-script.ts'
import type { RouteName } from '../fault-when.ts'
import { pageOf } from '../list-page.ts'
import type { PageQuery } from '../list-page.ts'
import type { LocalServer } from '../local-server.ts'
import { isRecord, parseIntegerText, parseString } from '../request-checks.ts'
import { noSuchBatch } from './batch-queue.ts'
import { showBatch } from './batch-record.ts'
import { parseBatchRequest } from './batch-request.ts'

const maxPage = 100
const defaultPage = 20

type OneBatch = FastifyRequest<{ Params: { id: string } }>

/** The routes under `/v1/batches`. */
export function batchRoutes(app: FastifyInstance, server: LocalServer): void {
  app.post('/batches', (request, reply) =>
    answerRoute(server, { route: 'batches.create' }, request, reply, () =>
      showBatch(server.batches.create(parseBatchRequest(request.body)))
    )
  )
  app.get('/batches', (request, reply) =>
    answerRoute(server, { route: 'batches.list' }, request, reply, () =>
      pageOf(server.batches.list(), parsePageQuery(request.query), showBatch, noSuchBatch)
    )
  )
  app.get('/batches/:id', (request: OneBatch, reply) =>
    answerRoute(server, about(server, 'batches.retrieve', request), request, reply, () =>
      showBatch(server.batches.get(request.params.id))
    )
  )
  app.post('/batches/:id/cancel', (request: OneBatch, reply) =>
    answerRoute(server, about(server, 'batches.cancel', request), request, reply, () =>
      showBatch(server.batches.cancel(request.params.id))
    )
  )
}

function about({ state }: LocalServer, route: RouteName, { params: { id } }: OneBatch): FaultQuestion {
  const status = state.batches.get(id)?.status
  return { route, id, ...(status !== undefined && { status }) }
}

function parsePageQuery(given: unknown): PageQuery {
  const { after, limit } = isRecord(given) ? given : {}
  return {
    after: after === undefined ? undefined : parseString(after, 'after'),
    limit: limit === undefined ? defaultPage : parseIntegerText(limit, 'limit', 1, maxPage)
  }
}
