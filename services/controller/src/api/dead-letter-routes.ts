import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import {
  detailLetter,
  letterDetail,
  letterReport,
  replayRequest,
  reportLetter
} from '../dead-letters/letter-report.ts'
import type { ApiDeps } from './api-deps.ts'
import { Refusal } from './problem.ts'
import { refusals, tokenNeeded, typed, whileWanted } from './route.ts'

/** Letters looked through for one id, and replayed at most with `all`. */
const lettersRead = 10_000

export function deadLetterRoutes(app: FastifyInstance, { parts, stopping }: ApiDeps): void {
  const routes = typed(app)

  routes.route({
    method: 'GET',
    url: '/v1/dead-letters',
    schema: {
      summary: 'What was given up, oldest first',
      tags: ['dead letters'],
      querystring: z.object({ limit: z.coerce.number().int().min(1).max(lettersRead).default(100) }),
      response: { 200: z.object({ letters: z.array(letterReport) }), ...refusals }
    },
    handler: async (request, reply) => {
      const letters = await parts.letters.list(request.query.limit, whileWanted(reply, stopping))
      return { letters: letters.map(letter => reportLetter(letter)) }
    }
  })
  routes.route({
    method: 'GET',
    url: '/v1/dead-letters/:id',
    schema: {
      summary: 'One dead letter with its document',
      tags: ['dead letters'],
      params: z.object({ id: z.string() }),
      response: { 200: letterDetail, ...refusals }
    },
    handler: async (request, reply) => {
      const letters = await parts.letters.list(lettersRead, whileWanted(reply, stopping))
      const letter = letters.find(({ id }) => id === request.params.id)
      if (!letter) throw new Refusal(404, 'NO_SUCH_LETTER', `there is no dead letter ${request.params.id}`)
      return await detailLetter(letter, parts.codec)
    }
  })
  routes.route({
    method: 'POST',
    url: '/v1/dead-letters/replay',
    schema: {
      summary: 'Produce the documents of dead letters again',
      description:
        'They go through the lane that is active, and are paid for again where a vector is missing.',
      tags: ['dead letters'],
      security: tokenNeeded,
      body: replayRequest,
      response: { 200: z.object({ replayed: z.int() }), ...refusals }
    },
    handler: async (request, reply) => {
      const signal = whileWanted(reply, stopping)
      const known = (await parts.letters.list(lettersRead, signal)).map(({ id }) => id)
      const ids = 'all' in request.body ? known : request.body.ids
      const unknown = ids.filter(id => !known.includes(id))
      if (unknown.length > 0) {
        throw new Refusal(
          422,
          'NO_SUCH_LETTER',
          `nothing was replayed: there is no dead letter ${unknown.join(', ')}`
        )
      }
      return { replayed: ids.length === 0 ? 0 : await parts.letters.replay(ids, signal) }
    }
  })
}
