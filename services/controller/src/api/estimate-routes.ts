import { paymentKey } from '@pointsman/core/runtime/identity'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { basisOf, estimateBasis } from '../estimate/estimate-basis.ts'
import type { ApiDeps } from './api-deps.ts'
import { changeRefusals, refusals, tokenNeeded, typed } from './route.ts'

/** With 64 digits each, below the limit of a body; and no call of the ledger is long. */
const maxHashes = 2000

export function estimateRoutes(
  app: FastifyInstance,
  { parts, jobs, jobTerms, pace, estimateSettings }: ApiDeps
): void {
  const routes = typed(app)

  routes.route({
    method: 'GET',
    url: '/v1/estimate/basis',
    schema: {
      summary: 'Prices, pace, bounds and turnaround, to reckon costs and durations from',
      tags: ['estimate'],
      response: { 200: estimateBasis, ...refusals }
    },
    handler: async () =>
      basisOf({
        model: parts.spec.model,
        prices: jobTerms.prices,
        settings: estimateSettings,
        documentsPerSecond: pace.documentsPerSecond,
        pastJobs: await jobs.past()
      })
  })
  routes.route({
    method: 'POST',
    url: '/v1/estimate/indexed',
    schema: {
      summary: 'Which texts are in the index already, and so are not paid for again',
      description: 'Changes nothing.',
      tags: ['estimate'],
      security: tokenNeeded,
      body: z
        .object({
          textHashes: z
            .array(z.string().regex(/^[0-9a-f]{64}$/))
            .min(1)
            .max(maxHashes)
            .describe("SHA-256 of each text's UTF-8 bytes")
        })
        .strict(),
      response: { 200: z.object({ indexed: z.array(z.boolean()).describe('in order') }), ...changeRefusals }
    },
    handler: async request => {
      const keys = request.body.textHashes.map(hash => paymentKey(parts.spec, hash))
      return { indexed: [...(await parts.ledger.processed(keys))] }
    }
  })
}
