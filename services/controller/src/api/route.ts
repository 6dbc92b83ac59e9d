import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { problemAnswer } from './problem.ts'

/** An app whose handlers are typed by their zod schemas. */
export function typed(app: FastifyInstance) {
  return app.withTypeProvider<ZodTypeProvider>()
}

/** What every call may answer instead. */
export const refusals = {
  400: problemAnswer(400),
  401: problemAnswer(401),
  403: problemAnswer(403),
  422: problemAnswer(422),
  431: problemAnswer(431),
  500: problemAnswer(500),
  503: problemAnswer(503)
} as const

/** For a call that the state of things may refuse. */
export const conflict = { 409: problemAnswer(409) } as const

/** What every call that takes a body may answer instead. */
export const changeRefusals = {
  ...refusals,
  ...conflict,
  413: problemAnswer(413),
  415: problemAnswer(415)
} as const

/** For a call about one thing that may not be there. */
export const notFound = { 404: problemAnswer(404) } as const

/** Marks a call that needs the token in the OpenAPI document. */
export const tokenNeeded = [{ token: [] }]

/** Aborts when the caller went away before the answer was complete, or the controller stops. */
export function whileWanted(reply: FastifyReply, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('the caller went away'))
  })
  return AbortSignal.any([gone.signal, stopping])
}
