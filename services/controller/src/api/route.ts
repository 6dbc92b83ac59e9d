import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { problem } from './problem.ts'

/** An app whose handlers are typed by their zod schemas. */
export function typed(app: FastifyInstance) {
  return app.withTypeProvider<ZodTypeProvider>()
}

/** Every call may be refused; documented once. */
export const refusals = { '4xx': problem, '5xx': problem } as const

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
