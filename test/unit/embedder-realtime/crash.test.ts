import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import { expect, test, vi } from 'vitest'
import { aText, aTombstone, MemoryLane } from '../../support/memory-lane.ts'

/** Crash windows in which a request may have been paid: the request's inputs may be paid one more time. */
const payingWindows: readonly Failpoint[] = ['rt.response']
const failpoints: readonly Failpoint[] = [
  'rt.fetch',
  'rt.claim',
  'rt.pay',
  'rt.response',
  'rt.upsert',
  'rt.mark',
  'rt.commit'
]

test.each(failpoints)(
  'a restarted instance finishes what one that died at %s left behind',
  async failpoint => {
    await using world = new MemoryLane()
    const doomed = world.startDoomed('one', failpoint)
    await world.emit(
      ...Array.from({ length: 10 }, (_, index) => aText(`d${index}`, 1, `text ${index}`)),
      aText('twin', 1, 'text 3'),
      aText('old', 1, 'first'),
      aText('old', 2, 'second'),
      aText('gone', 1, 'gone soon'),
      aTombstone('gone', 2)
    )
    await vi.waitFor(() => expect(doomed.died()).toBe(true), { timeout: 4_000 })
    world.start('one')
    await world.settled()

    const texts = world.texts()
    expect(texts).toEqual({
      ...Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`d${index}`, [`text ${index}`]])),
      twin: ['text 3'],
      old: ['second']
    })
    const repeated = [...world.embedder.payments.values()].reduce((sum, times) => sum + times - 1, 0)
    if (payingWindows.includes(failpoint)) expect(repeated).toBeLessThanOrEqual(16)
    else expect(repeated).toBe(0)
  }
)

test('a dead letter that was written before a crash is written again under the same key, and settled', async () => {
  await using world = new MemoryLane()
  world.embedder.poison('poison')
  const doomed = world.startDoomed('one', 'rt.dead-letter')
  await world.emit(aText('bad', 1, 'poison'))
  await vi.waitFor(() => expect(doomed.died()).toBe(true), { timeout: 4_000 })
  world.start('one')
  await world.settled()

  const never = new AbortController().signal
  expect((await world.deadLetters.list(10, never)).map(({ key }) => key)).toEqual(['bad'])
  expect((await world.ledger.survey()).counts.dead).toBe(1)
})
