import type { FastifyInstance } from 'fastify'
import type { ApiDeps } from './api-deps.ts'
import { Refusal } from './problem.ts'
import { rebuildBegun, rebuildRequest } from './rebuild-begun.ts'
import { changeRefusals, tokenNeeded, typed } from './route.ts'

export function ledgerRoutes(app: FastifyInstance, { log, parts: { ledger } }: ApiDeps): void {
  typed(app).route({
    method: 'POST',
    url: '/v1/ledger/rebuild',
    schema: {
      summary: 'Distrust the ledger: an empty one takes its place and is rebuilt',
      description:
        'From the log, the index and the provider. Nothing is admitted until it is done, and requests in flight may ' +
        'be paid for twice. May be repeated: the ledger that is named is replaced once.',
      tags: ['control'],
      security: tokenNeeded,
      body: rebuildRequest,
      response: { 200: rebuildBegun, ...changeRefusals }
    },
    handler: async ({ body: { ledgerId, reason } }) => {
      const state = await ledger.state()
      if (state.rebuild !== undefined) {
        return { ledgerId: state.ledgerId, begun: false, because: state.rebuild.because }
      }
      if (state.ledgerId !== ledgerId) {
        const detail = `the ledger is ${state.ledgerId} by now: look, then ask again`
        throw new Refusal(409, 'LEDGER_CHANGED', detail)
      }
      await ledger.distrust(ledgerId, reason)
      // So that what is asked of this controller next is answered by the new one, and not refused as foreign.
      await ledger.open(state.defaultLane, 'lost')
      log.warn({ ledgerId, reason }, 'the ledger was distrusted by an operator')
      return { ledgerId, begun: true, because: reason }
    }
  })
}
