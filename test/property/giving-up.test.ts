// What is given up: a letter for each record that cannot be embedded, wherever an instance died, and for no other.
import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { MemoryBatchLane } from '../support/memory-batch-lane.ts'
import { aText, MemoryLane } from '../support/memory-lane.ts'

const patience = { timeout: 8_000, interval: 5 }
const failpoint = fc.constantFrom<Failpoint>('rt.claim', 'rt.dead-letter', 'rt.dead-letter', 'rt.mark')

test('a text that nobody can embed and a record that nobody can read have a letter, wherever an instance died', async () => {
  const record = fc.constantFrom('good', 'poison', 'unreadable')
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 2, maxLength: 8 }), failpoint, async (records, at) => {
      await using world = new MemoryLane()
      for (const [index, kind] of records.entries()) {
        const text = `${kind} ${index}`
        if (kind === 'poison') world.embedder.poison(text)
        if (kind === 'unreadable') world.log.append(index % 2, text, new TextEncoder().encode('{'))
        else await world.emit(aText(text, 1, text))
      }
      const doomed = world.startDoomed('one', at)
      const isReached =
        at === 'rt.dead-letter' ? records.includes('poison') : records.some(kind => kind !== 'unreadable')
      if (isReached) await vi.waitFor(() => expect(doomed.died()).toBe(true), patience)
      world.start('one')
      await world.settled()

      const [good, bad] = [true, false].map(wanted =>
        records.flatMap((kind, index) => ((kind === 'good') === wanted ? [`${kind} ${index}`] : []))
      )
      expect(new Set(Object.keys(world.texts()))).toEqual(new Set(good))
      expect(new Set(world.log.letters.map(({ key }) => key))).toEqual(new Set(bad))
    }),
    { numRuns: 6, interruptAfterTimeLimit: 7_000 }
  )
})

test('a text is not given up before the last of its jobs came to nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(3), fc.integer({ min: 1, max: 4 }), async (failures, texts) => {
      await using world = new MemoryBatchLane()
      world.provider.server.plan(
        ...Array.from({ length: failures }, () => ({ line: () => 'failed' as const }))
      )
      world.startBatch('one', { options: { maxFailures: 3, minLines: texts } })
      await world.emit(...Array.from({ length: texts }, (_, index) => aText(`d${index}`, 1, `text ${index}`)))
      await world.settled()
      for (const { attempts } of world.log.letters) expect(attempts).toBeGreaterThanOrEqual(3)
      expect(Object.keys(world.texts()).length + world.log.letters.length).toBe(texts)
    }),
    { numRuns: 4, interruptAfterTimeLimit: 7_000 }
  )
})
