import type { FastifyInstance, FastifyRequest } from 'fastify'
import { answerRoute } from '../answer-route.ts'
import { pageOf } from '../list-page.ts'
import type { PageQuery } from '../list-page.ts'
import type { LocalServer } from '../local-server.ts'
import { isRecord, parseChoice, parseIntegerText, parseString } from '../request-checks.ts'
import { FileContent } from './file-content.ts'
import { showFile, uploadPurposes } from './file-record.ts'
import { noSuchFile } from './file-store.ts'
import { takeUpload } from './take-upload.ts'

const maxPage = 10_000

interface ListQuery extends PageQuery {
  readonly purpose: string | undefined
  readonly newestFirst: boolean
}

type OneFile = FastifyRequest<{ Params: { id: string } }>

/** The routes under `/v1/files`. */
export function fileRoutes(app: FastifyInstance, server: LocalServer): void {
  // The body is left in the request: it streams to disk.
  app.addContentTypeParser(/^multipart\/form-data\b/, (_request, _body, done) => done(null))

  app.post('/files', (request, reply) =>
    answerRoute(server, { route: 'files.create' }, request, reply, async () =>
      showFile(
        await takeUpload(
          { ...server, clock: server.virtualClock, drawFaults: () => server.faults.drawFile() },
          request.raw
        )
      )
    )
  )
  app.get('/files', (request, reply) =>
    answerRoute(server, { route: 'files.list' }, request, reply, () =>
      listFiles(server, parseListQuery(request.query))
    )
  )
  app.get('/files/:id', (request: OneFile, reply) =>
    answerRoute(server, { route: 'files.retrieve', id: request.params.id }, request, reply, () =>
      showFile(server.files.get(request.params.id))
    )
  )
  app.delete('/files/:id', (request: OneFile, reply) =>
    answerRoute(server, { route: 'files.delete', id: request.params.id }, request, reply, () => {
      server.files.delete(request.params.id)
      return { id: request.params.id, object: 'file', deleted: true }
    })
  )
  app.get('/files/:id/content', (request: OneFile, reply) =>
    answerRoute(server, { route: 'files.content', id: request.params.id }, request, reply, () =>
      openContent(server, request.params.id)
    )
  )
}

function openContent({ files }: LocalServer, id: string): FileContent {
  const { bytes } = files.get(id)
  return new FileContent(files.pathOf(id), bytes)
}

function listFiles({ files }: LocalServer, query: ListQuery): object {
  const { newestFirst, purpose } = query
  const all = files.list().filter(file => purpose === undefined || file.purpose === purpose)
  return pageOf(newestFirst ? all.toReversed() : all, query, showFile, noSuchFile)
}

function parseListQuery(given: unknown): ListQuery {
  const { after, limit, order, purpose } = isRecord(given) ? given : {}
  return {
    after: after === undefined ? undefined : parseString(after, 'after'),
    limit: limit === undefined ? maxPage : parseIntegerText(limit, 'limit', 1, maxPage),
    newestFirst: order === undefined || parseChoice(order, 'order', ['asc', 'desc']) === 'desc',
    purpose:
      purpose === undefined ? undefined : parseChoice(purpose, 'purpose', [...uploadPurposes, 'batch_output'])
  }
}
