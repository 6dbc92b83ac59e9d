// A Weaviate that was killed may list objects that it does not find by their document.
import type { ObjectId } from '@pointsman/core/domain/identity'
import { describe, expect, test } from 'vitest'
import { verify } from '../../../services/controller/src/verify/verify.ts'
import { documentOf, type MemoryWorld } from '../../support/memory-world.ts'
import {
  expectAllWell,
  forget,
  mend,
  never,
  options,
  textOf,
  unfindable,
  worldWith
} from '../../support/repair-world.ts'

async function addOld(world: MemoryWorld, docId: string, generation = 1): Promise<ObjectId> {
  const object = world.objectOf(documentOf(docId, `old text ${generation}`), generation)
  await world.store.write([object], never)
  return object.id
}

describe('an object that is listed, and not found by its document, is reported and removed', () => {
  test('beside the newest, beside a tombstone, and of a document that nobody knows', async () => {
    const world = await worldWith(textOf('a', { version: 3 }), textOf('b'), textOf('c'))
    await world.produce(documentOf('b', '', { version: 2, deleted: true }))
    await world.drain()
    const hidden = [
      await addOld(world, 'a', 1),
      await addOld(world, 'a', 2),
      await addOld(world, 'b'),
      await addOld(world, 'x')
    ]
    const deps = unfindable(world, hidden)

    const found = await verify(deps, options, never)
    expect(found).toMatchObject({ consistent: false, differences: { duplicate: { count: 1 } } })
    expect(found.differences.duplicate.examples).toMatchObject([
      { docId: 'a', detail: '3 objects instead of one' }
    ])
    expect(found.differences.surplus.count).toBe(2)

    const report = await mend(deps)
    expect(report.repair).toMatchObject({ found: { duplicate: 1, surplus: 2 }, removed: 4, requeued: 0 })
    expect(report).toMatchObject({ consistent: true, quiet: true })
    await expectAllWell(world)
  })

  test('instead of the newest: it stays until the newest is there', async () => {
    const world = await worldWith(textOf('a', { version: 3 }), textOf('b'))
    await forget(world, 'a')
    const deps = unfindable(world, [await addOld(world, 'a')])

    const first = await mend(deps)
    expect(first.repair).toMatchObject({ found: { stale: 1, missing: 0 }, removed: 0, requeued: 1 })
    await world.drain()
    // The embedder has asked for older objects by the document, and found none.
    await addOld(world, 'a')
    const second = await mend(deps)
    expect(second.repair).toMatchObject({ found: { duplicate: 1 }, removed: 1, requeued: 0 })
    await expectAllWell(world)
  })

  test('the newest itself is there when it is listed: its document is not embedded again', async () => {
    const world = await worldWith(textOf('a', { version: 3 }), textOf('b'))
    const own = [...world.store.objects.values()].find(({ properties }) => properties.docId === 'a')
    if (own === undefined) return expect.unreachable('nothing is stored')
    await addOld(world, 'a')

    const report = await mend(unfindable(world, [own.id]))
    expect(report.repair).toMatchObject({ found: { duplicate: 1, missing: 0 }, removed: 1, requeued: 0 })
    expect([...world.store.objects.keys()]).toContain(own.id)
    await expectAllWell(world)
  })
})

describe('the index is walked a second time', () => {
  test('only for what was listed and is not found', async () => {
    const world = await worldWith(textOf('a', { version: 3 }), textOf('b'))
    await addOld(world, 'a')
    const findable = unfindable(world, [])
    expect(await verify(findable, options, never)).toMatchObject({ differences: { duplicate: { count: 1 } } })
    expect(findable.walks).toBe(1)
  })

  test('and what it lists no more was only passing', async () => {
    const world = await worldWith(textOf('a', { version: 3 }), textOf('b'))
    const id = await addOld(world, 'a')
    const deps = unfindable(world, [])
    const { unindexed } = deps.store
    // Between the first look and the second, somebody removes it.
    deps.store.unindexed = async (signal: AbortSignal) => {
      await world.store.remove([id], signal)
      return await unindexed(signal)
    }
    expect(await verify(deps, options, never)).toMatchObject({ consistent: true })
    expect(deps.walks).toBe(2)
  })
})
