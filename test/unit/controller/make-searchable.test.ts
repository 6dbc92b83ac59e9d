import type { ObjectId } from '@pointsman/core/domain/identity'
import { expect, test } from 'vitest'
import { Sweeper } from '../../../services/controller/src/sweeper/sweeper.ts'
import { documentOf } from '../../support/memory-world.ts'
import { expectAllWell, never, textOf, worldWith } from '../../support/repair-world.ts'

const policy = { pauseMs: 1, restMs: 1, pageObjects: 2 }

test('what its writer removed while it was indexed anew goes as soon as its document is settled, not a walk later', async () => {
  const world = await worldWith(textOf('a'), textOf('b'), textOf('c'))
  const { clock, ledger, store } = world
  const [object] = [...store.objects.values()].filter(({ properties }) => properties.docId === 'a')
  let updates = 0
  const healing = new Proxy(store, {
    get: (target, key) => {
      if (key !== 'existing') {
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      }
      return async (ids: readonly ObjectId[]) => {
        if (updates > 0 || object === undefined || !ids.includes(object.id)) return new Set(ids)
        updates += 1
        await world.produce(documentOf('a', 'moved on', { version: 9 }))
        await world.drain()
        await store.write([object], never)
        return new Set(ids)
      }
    }
  })
  const sweeper = new Sweeper(
    { clock, ledger, store: healing, trouble: () => '', onPage: () => undefined },
    policy
  )
  while ((await sweeper.step(never)) === 'page');
  await sweeper.step(never)

  expect(updates).toBe(1)
  await expectAllWell(world)
})
