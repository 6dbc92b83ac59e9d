// How a request buys its vectors, whatever the provider answers: what is sent was journalled before, a text is given up
// only after all its attempts, and every vector is that of its own text.
import { MemoryEmbedder, vectorOf } from '@pointsman/core/adapters/memory/embedder'
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryLedgerServer } from '@pointsman/core/adapters/memory/ledger-server'
import { Failure } from '@pointsman/core/domain/failure'
import type { ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import { Gate } from '@pointsman/core/runtime/gate'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProviderLimit } from '../../services/embedder-realtime/src/provider-limit.ts'
import { VectorPurchase } from '../../services/embedder-realtime/src/vector-purchase.ts'
import { digestOf } from '../support/ledger-scene.ts'

const never = new AbortController().signal
const maxAttempts = 3

const answer = fc.constantFrom(
  'ok' as const,
  'ok' as const,
  'unknown-paid' as const,
  'unknown-unpaid' as const,
  'refused' as const
)

/** Time passes when somebody waits for it. */
class HastyClock {
  #nowMs = 0
  nowMs(): number {
    return this.#nowMs
  }
  random(): number {
    return 0.5
  }
  async sleep(ms: number): Promise<void> {
    this.#nowMs += ms
  }
}

test('an attempt is journalled before it is sent, and given up after the last one alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(answer, { maxLength: 8 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(2),
      async (answers, count, before) => {
        const embedder = new MemoryEmbedder()
        for (const kind of answers) {
          const refused = { kind: 'refused' as const, failure: new Failure('EMBED_RATE_LIMITED', 'slowly') }
          // One that is answered is not to be told.
          if (kind !== 'ok') embedder.fail(kind === 'refused' ? refused : { kind })
        }
        const clock = new HastyClock()
        const ledger = new MemoryLedger(new MemoryLedgerServer(() => clock.nowMs()))
        let journalled = before
        ledger.attempt = async (_obligation, _owner, attempt) => {
          journalled = Math.max(journalled, attempt)
          return 'journalled'
        }
        let sentEarly = false
        /** Attempts that were, or may have been, carried out. */
        let unknown = before
        const watched = {
          model: embedder.model,
          dimensions: embedder.dimensions,
          check: async () => undefined,
          embed: async (texts: readonly string[], signal: AbortSignal) => {
            sentEarly ||= journalled <= unknown
            try {
              return await embedder.embed(texts, signal)
            } catch (error) {
              if (error instanceof Failure && error.code === 'EMBED_OUTCOME_UNKNOWN') unknown += 1
              throw error
            }
          }
        }
        const gates = gatesOf(clock)
        const limit = new ProviderLimit({ clock, maxInFlight: 4 })
        const deps = { ledger, embedder: watched, limit, gates, hit: () => undefined, maxAttempts }
        const purchase = new VectorPurchase(deps, '1.1.1' as ObligationId, '1.1' as OwnerId, before)
        const texts = Array.from({ length: count }, (_, index) => `text ${index}`)
        const bought = await purchase.buy(
          texts.map(text => ({ content: digestOf(text), text, tokens: 1 })),
          never
        )

        expect(sentEarly).toBe(false)
        expect(bought.attempts).toBe(journalled)
        for (const text of texts) {
          const vector = bought.vectors.get(digestOf(text))
          if (vector !== undefined)
            expect(vector).toEqual(vectorOf(embedder.model, text, embedder.dimensions))
          else expect(bought.doubtful.has(digestOf(text))).toBe(true)
        }
        if (bought.doubtful.size > 0) expect(unknown).toBe(maxAttempts)
      }
    )
  )
})

function gatesOf(clock: HastyClock) {
  const gate = (name: string): Gate =>
    new Gate(name, async () => undefined, { clock, warn: () => undefined, signal: never })
  return { ledger: gate('ledger'), store: gate('store'), provider: gate('provider') }
}
