import { expect, test } from 'vitest'
import { seededRandom } from '../../../bench/support/seeded-random.ts'
import { planFaults, type PlannedFault } from '../../../tools/chaos/plan.ts'

const planOf = (seed: string, minutes: number, without: readonly string[] = []): readonly PlannedFault[] =>
  planFaults(minutes * 60_000, seededRandom(seed), new Set(without))

test('the same seed plans the same faults, another one others', () => {
  expect(planOf('one', 2)).toEqual(planOf('one', 2))
  expect(planOf('one', 2)).not.toEqual(planOf('two', 2))
})

test('ten minutes hold every kind of fault, and more than enough of them', () => {
  for (const seed of ['1', '2', '3']) {
    const kinds = planOf(seed, 10).map(({ fault }) => fault.kind)
    expect(new Set(kinds).size).toBe(20)
    expect(kinds.length).toBeGreaterThan(90)
  }
})

test('a kind that is left out is never planned', () => {
  const kinds = new Set(planOf('one', 10, ['disk-full', 'freeze']).map(({ fault }) => fault.kind))
  expect(kinds.size).toBe(18)
  expect([kinds.has('disk-full'), kinds.has('freeze')]).toEqual([false, false])
})

test('faults come in order, and something is left to happen after the last', () => {
  const times = planOf('one', 1).map(({ atMs }) => atMs)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(times.at(-1)).toBeLessThan(60_000)
})
