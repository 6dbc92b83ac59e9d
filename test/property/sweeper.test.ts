// What a writer leaves that woke up too late, and died: nobody but the sweeper will ever look at it.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Sweeper } from '../../services/controller/src/sweeper/sweeper.ts'
import { documentOf } from '../support/memory-world.ts'
import { expectAllWell, never, textOf, worldWith } from '../support/repair-world.ts'

const policy = { pauseMs: 1, restMs: 1, pageObjects: 2 }

test('whatever late writers have left is gone after a walk, and nothing else', async () => {
  const late = fc.record({ document: fc.nat(4), generation: fc.integer({ min: 1, max: 6 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(late, { maxLength: 8 }), fc.nat(4), async (writes, deleted) => {
      const world = await worldWith(...[0, 1, 2, 3, 4].map(index => textOf(`d${index}`, { version: 7 })))
      await world.produce(documentOf(`d${deleted}`, '', { version: 8, deleted: true }))
      await world.drain()
      for (const { document, generation } of writes) {
        const old = documentOf(`d${document}`, `old text ${generation}`)
        await world.store.write([world.objectOf(old, generation)], never)
      }
      const { clock, ledger, store } = world
      const sweeper = new Sweeper(
        { clock, ledger, store, trouble: () => '', onPage: () => undefined },
        policy
      )
      while ((await sweeper.step(never)) === 'page');

      expect(store.objects.size).toBe(4)
      await expectAllWell(world)
    })
  )
})
