import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  LogController
} from 'fastify'
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { checkAccess } from './access.ts'
import { analysisRoutes } from './analysis-routes.ts'
import type { ApiDeps } from './api-deps.ts'
import { controlRoutes } from './control-routes.ts'
import { deadLetterRoutes } from './dead-letter-routes.ts'
import { estimateRoutes } from './estimate-routes.ts'
import { healthRoutes } from './health-routes.ts'
import { KnownRoutes } from './known-routes.ts'
import { jobRoutes } from './job-routes.ts'
import { problemOf, Refusal } from './problem.ts'
import { ledgerRoutes } from './ledger-routes.ts'
import { refuseBrokenRequest, refuseUnreadable } from './raw-refusal.ts'
import { readingRoutes } from './reading-routes.ts'
import { switchRoutes } from './switch-routes.ts'
import { verifyRoutes } from './verify-routes.ts'

/** Not the one that the page comes with: that sends browsers to HTTPS, which is not spoken here. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const maxBodyBytes = 1024 * 1024
/** A search of 8,000 characters is nine times as long in an address. */
const maxHeaderBytes = 128 * 1024
/** What is too long for a name is refused by the schema of its call. */
const maxParamCharacters = maxHeaderBytes
const requestTimeoutMs = 30_000

/** The API of the controller: ready to listen, or to be asked by `inject`. */
export async function buildApi(deps: ApiDeps): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = deps.log
  const app: FastifyInstance = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    // Then checkAccess refuses it, in our words.
    http: { requireHostHeader: false, maxHeaderSize: maxHeaderBytes },
    routerOptions: { maxParamLength: maxParamCharacters },
    clientErrorHandler: refuseBrokenRequest,
    frameworkErrors: (error, _, reply) => refuseUnreadable(error, reply.raw),
    // An open page or a running `verify` must not hold up the end.
    forceCloseConnections: true
  })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  // JSON alone: a form of a foreign page cannot send it.
  app.removeContentTypeParser('text/plain')

  const known = new KnownRoutes()
  app.addHook('onRoute', route => known.note(route))
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store'
    })
    const { method, headers, url, is404 } = request
    checkAccess({ method, path: url, headers, isKnown: !is404 }, deps.access)
    // Before its body is read.
    if (is404) throw noSuchCall(method, url, known, reply)
  })
  app.setErrorHandler(async (error, request, reply) => {
    const answer = problemOf(error)
    if (answer.status >= 500) request.log.error({ err: error, url: request.url }, 'request failed')
    if (answer.status === 401) void reply.header('www-authenticate', 'Bearer')
    if (answer.status === 503) void reply.header('retry-after', '1')
    return reply.code(answer.status).type('application/problem+json').send(answer)
  })

  await app.register(swagger, {
    openapi: {
      info: { title: 'Pointsman', version: deps.version, description: 'The controller of one namespace.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }
    },
    transform: jsonSchemaTransform
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: pagePolicy })
  await app.register(async routes => {
    healthRoutes(routes, deps)
    readingRoutes(routes, deps)
    deadLetterRoutes(routes, deps)
    verifyRoutes(routes, deps)
    ledgerRoutes(routes, deps)
    jobRoutes(routes, deps)
    estimateRoutes(routes, deps)
    controlRoutes(routes, deps)
    switchRoutes(routes, deps)
    analysisRoutes(routes, deps)
  })
  return app
}

function noSuchCall(method: string, url: string, known: KnownRoutes, reply: FastifyReply): Refusal {
  const allowed = known.methodsOf(url)
  if (allowed.length === 0) return new Refusal(404, 'NO_SUCH_CALL', `there is no ${method} ${url}`)
  void reply.header('allow', allowed.join(', '))
  return new Refusal(405, 'NO_SUCH_METHOD', `here one can ${allowed.join(', ')}, not ${method}`)
}
