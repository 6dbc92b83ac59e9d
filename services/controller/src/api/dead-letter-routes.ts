import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import {
  detailLetter,
  isSelected,
  letterDetail,
  letterReport,
  letterSelection,
  replayReport,
  replayRequest,
  reportLetter
} from '../dead-letters/letter-report.ts'
import { replayLetters } from '../dead-letters/replay.ts'
import type { ApiDeps } from './api-deps.ts'
import { Refusal } from './problem.ts'
import { changeRefusals, notFound, refusals, tokenNeeded, typed, whileWanted } from './route.ts'

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
      querystring: letterSelection.extend({
        limit: z.coerce.number().int().min(1).max(lettersRead).default(100)
      }),
      response: { 200: z.object({ letters: z.array(letterReport) }), ...refusals }
    },
    handler: async (request, reply) => {
      const { limit, ...selection } = request.query
      const letters = await parts.letters.list(lettersRead, whileWanted(reply, stopping))
      const selected = letters.filter(letter => isSelected(letter, selection)).slice(0, limit)
      return { letters: selected.map(letter => reportLetter(letter)) }
    }
  })
  routes.route({
    method: 'GET',
    url: '/v1/dead-letters/:id',
    schema: {
      summary: 'One dead letter with its document',
      tags: ['dead letters'],
      params: z.object({ id: z.string() }),
      response: { 200: letterDetail, ...notFound, ...refusals }
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
        'They go through the lane that is active, and are paid for again where a vector is missing. What was sent ' +
        'again before, has a newer version, or cannot be read is named instead. May be repeated.',
      tags: ['dead letters'],
      security: tokenNeeded,
      body: replayRequest,
      response: { 200: replayReport, ...notFound, ...changeRefusals }
    },
    handler: async (request, reply) => {
      const signal = whileWanted(reply, stopping)
      const { body } = request
      const known = await parts.letters.list(lettersRead, signal)
      if ('all' in body) {
        return await replayLetters(
          known.filter(letter => isSelected(letter, body)),
          parts,
          signal
        )
      }
      const byId = new Map(known.map(letter => [letter.id, letter]))
      const unknown = [...new Set(body.ids)].filter(id => !byId.has(id))
      if (unknown.length > 0) {
        throw new Refusal(
          404,
          'NO_SUCH_LETTER',
          `nothing was replayed: there is no dead letter ${unknown.join(', ')}`
        )
      }
      const wanted = new Set(body.ids)
      return await replayLetters(
        known.filter(({ id }) => wanted.has(id)),
        parts,
        signal
      )
    }
  })
}
