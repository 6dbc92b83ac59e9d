import { randomUUID } from 'node:crypto'
import { fastify } from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { adminRoutes } from './admin-routes.ts'
import { answerRoute } from './answer-route.ts'
import { ApiError, invalidRequest } from './api-error.ts'
import { authorize } from './authorize.ts'
import { batchRoutes } from './batches/batch-routes.ts'
import { answerEmbeddings } from './embeddings-route.ts'
import { findModel } from './embeddings-request.ts'
import type { Exchange } from './exchange.ts'
import { fileRoutes } from './files/file-routes.ts'
import type { LocalServer } from './local-server.ts'
import type { EmbeddingModel } from './models.ts'

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange
  }
}

const unparsable =
  "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"

/** @param maxBodyBytes - a longer body is answered 413. */
export function createHttpApp(server: LocalServer, maxBodyBytes: number): FastifyInstance {
  const app = fastify({
    bodyLimit: maxBodyBytes,
    genReqId: () => `req_${randomUUID().replaceAll('-', '')}`,
    routerOptions: { maxParamLength: 500 }
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(/^application\/json\b/, { parseAs: 'buffer' }, parseJson)
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(request => {
    throw new ApiError({
      status: 404,
      message: `Invalid URL (${request.method} ${request.url.split('?')[0]})`,
      type: 'invalid_request_error'
    })
  })
  app.addHook('onRequest', (request, reply, done) => {
    openExchange(server, request, reply)
    done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    // A connection kept alive would keep a stopping server alive as well.
    if (server.stopped.aborted) reply.header('connection', 'close')
    done(null, payload)
  })
  app.addHook('onResponse', (request, _reply, done) => {
    // Its head may have gone out before the stop came, and had not told the client to close.
    if (server.stopped.aborted) request.raw.socket.destroySoon()
    done()
  })
  app.register(v1 => v1Routes(v1, server), { prefix: '/v1' })
  app.register(local => adminRoutes(local, server), { prefix: '/_local' })
  return app
}

function v1Routes(app: FastifyInstance, server: LocalServer): Promise<void> {
  app.addHook('onRequest', (request, _reply, done) => {
    authorize(request.headers.authorization, server.apiKeys)
    done()
  })
  app.post('/embeddings', (request, reply) => answerEmbeddings(server, request, reply))
  app.get('/models', (request, reply) =>
    answerRoute(server, { route: 'models' }, request, reply, () => ({
      object: 'list',
      data: server.vectors.models.map(showModel)
    }))
  )
  app.get<{ Params: { id: string } }>('/models/:id', (request, reply) =>
    answerRoute(server, { route: 'models' }, request, reply, () =>
      showModel(findModel(request.params.id, server.vectors.models))
    )
  )
  fileRoutes(app, server)
  batchRoutes(app, server)
  return Promise.resolve()
}

function showModel(model: EmbeddingModel): object {
  return { id: model.id, object: 'model', created: model.createdSeconds, owned_by: model.ownedBy }
}

function openExchange(server: LocalServer, request: FastifyRequest, reply: FastifyReply): void {
  const startedMs = server.clock.nowMs()
  const retryCount = Number(request.headers['x-stainless-retry-count'] ?? Number.NaN)
  const exchange: Exchange = {
    requestId: request.id,
    at: new Date(startedMs).toISOString(),
    method: request.method,
    route: request.url,
    retryCount: Number.isInteger(retryCount) ? retryCount : null,
    model: null,
    inputs: 0,
    tokens: 0,
    paid: false,
    fault: null,
    status: null,
    durationMs: null
  }
  request.exchange = exchange
  reply.header('x-request-id', request.id)
  if (request.url.startsWith('/_local')) return
  server.journal.add(exchange)
  reply.raw.once('close', () => {
    exchange.status = reply.raw.writableFinished ? reply.raw.statusCode : 0
    exchange.durationMs = Math.round(server.clock.nowMs() - startedMs)
  })
}

function parseJson(
  _request: FastifyRequest,
  body: Buffer,
  done: (error: Error | null, body?: unknown) => void
): void {
  // As a client sends it that gives every POST a content type.
  if (body.length === 0) return done(null)
  try {
    done(null, JSON.parse(body.toString('utf8')))
  } catch {
    done(invalidRequest(unparsable))
  }
}

function answerError(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
  const answer = error instanceof ApiError ? error : translate(error)
  void reply.code(answer.status).headers(answer.headers).send(answer.body)
}

/** What fastify refuses by itself keeps its status; anything else is a fault of this server. */
function translate(error: Error & { readonly statusCode?: number }): ApiError {
  const status = error.statusCode ?? 500
  if (status >= 400 && status < 500) {
    return new ApiError({ status, message: error.message, type: 'invalid_request_error' })
  }
  return new ApiError({ status: 500, message: `local-openai failed: ${error.message}`, type: 'server_error' })
}
