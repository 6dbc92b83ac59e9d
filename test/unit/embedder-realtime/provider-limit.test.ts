import { expect, test } from 'vitest'
import { ProviderLimit } from '../../../services/embedder-realtime/src/provider-limit.ts'
import { ManualClock, settledMicrotasks } from '../../support/manual-clock.ts'

const never = new AbortController().signal

function openLimit(maxInFlight = 8): { limit: ProviderLimit; clock: ManualClock } {
  const clock = new ManualClock()
  return { limit: new ProviderLimit({ clock, maxInFlight }), clock }
}

async function entersWithin(
  limit: ProviderLimit,
  clock: ManualClock,
  tokens: number,
  ms: number
): Promise<boolean> {
  let entered = false
  const abort = new AbortController()
  const entering = limit.enter(tokens, abort.signal).then(() => (entered = true))
  await clock.advance(ms)
  abort.abort(new Error('too late'))
  await entering.catch(() => undefined)
  return entered
}

test('allows more requests in flight with every answer, up to the most', async () => {
  const { limit } = openLimit(6)
  for (let answers = 0; answers < 40; answers += 1) {
    await limit.enter(10, never)
    limit.leave({ kind: 'answered', limits: {} })
  }
  expect(limit.allowed).toBe(6)
})

test('halves them when the provider refuses, and waits as long as it was told', async () => {
  const { clock, limit } = openLimit()
  await limit.enter(10, never)
  limit.leave({ kind: 'limited', retryAfterMs: 3_000 })
  expect(limit.allowed).toBe(2)
  expect(await entersWithin(limit, clock, 10, 2_900)).toBe(false)
  expect(await entersWithin(limit, clock, 10, 500)).toBe(true)
})

test('holds back what is more than may be in flight', async () => {
  const { clock, limit } = openLimit(2)
  await limit.enter(1, never)
  await limit.enter(1, never)
  expect(await entersWithin(limit, clock, 1, 1_000)).toBe(false)
  limit.leave({ kind: 'failed' })
  expect(await entersWithin(limit, clock, 1, 1_000)).toBe(true)
})

test('spends no more tokens than the headers say are left, as they refill', async () => {
  const { clock, limit } = openLimit()
  await limit.enter(100, never)
  limit.leave({ kind: 'answered', limits: { limitTokens: 60_000, remainingTokens: 1_000 } })
  expect(await entersWithin(limit, clock, 2_000, 900)).toBe(false)
  expect(await entersWithin(limit, clock, 2_000, 200)).toBe(true)
})

test('sends a request that is larger than the whole budget when the budget is full', async () => {
  const { clock, limit } = openLimit()
  await limit.enter(100, never)
  limit.leave({ kind: 'answered', limits: { limitTokens: 600, remainingTokens: 600 } })
  await settledMicrotasks()
  expect(await entersWithin(limit, clock, 5_000, 100)).toBe(true)
})
