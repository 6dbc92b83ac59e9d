import type { ObjectId } from '@pointsman/core/domain/identity'
import { docKey, paymentKey } from '@pointsman/core/runtime/identity'
import { describe, expect, test } from 'vitest'
import { documentOf } from '../../support/memory-world.ts'
import {
  expectAllWell,
  forget,
  mend,
  never,
  recordsOf,
  stateOf,
  textOf,
  worldWith
} from '../../support/repair-world.ts'

describe('a repair mends', () => {
  test('nothing where all is well, and says so', async () => {
    const world = await worldWith(textOf('a'), textOf('b'))
    expect(await mend(world)).toMatchObject({ consistent: true, quiet: true, repair: null })
  })

  test('a missing object: its record is produced again, unchanged, and paid for once more', async () => {
    const world = await worldWith(textOf('a'), textOf('b'))
    await forget(world, 'b')
    world.paid.length = 0

    const report = await mend(world)
    expect(report.repair).toMatchObject({ found: { missing: 1 }, requeued: 1, corrected: 1, removed: 0 })
    expect(report).toMatchObject({ consistent: true, quiet: false, ledger: { unread: 1 } })
    expect((await world.ledger.latest([docKey('b')]))[0]).toMatchObject({ version: 1, status: 'expected' })
    const [first, second, ...more] = await recordsOf(world, 'b')
    expect(second).toBe(first)
    expect(more).toEqual([])

    await expectAllWell(world)
    expect(world.paid).toEqual(['b'])
  })

  test('a missing object for nothing where another one has its vector', async () => {
    const world = await worldWith(documentOf('a', 'shared'), documentOf('b', 'shared'))
    await forget(world, 'b')
    world.paid.length = 0

    await mend(world)
    await expectAllWell(world)
    expect(world.paid).toEqual([])
  })

  test('an older object beside the newest, and beside that of a deleted document', async () => {
    const world = await worldWith(textOf('a', { version: 2 }), textOf('b'))
    await world.produce(documentOf('b', '', { version: 2, deleted: true }))
    await world.drain()
    await world.store.write(
      [world.objectOf(documentOf('a', 'old'), 1), world.objectOf(textOf('b'), 1)],
      never
    )

    const report = await mend(world)
    expect(report).toMatchObject({ consistent: true, quiet: true })
    expect(report.repair).toMatchObject({ found: { duplicate: 1, surplus: 1 }, removed: 2, requeued: 0 })
    expect([...world.store.objects.values()].map(({ properties }) => properties.docId)).toEqual(['a'])
  })

  test('an older object instead of the newest: it stays until the newest is there', async () => {
    const world = await worldWith(textOf('a', { version: 3 }))
    await forget(world, 'a')
    await world.store.write([world.objectOf(documentOf('a', 'old'), 1)], never)

    expect((await mend(world)).repair).toMatchObject({ found: { stale: 1 }, removed: 0, requeued: 1 })
    expect(world.store.objects.size).toBe(1)
    await expectAllWell(world)
    expect([...world.store.objects.values()][0]?.properties.text).toBe('text of a')
  })

  test('an object whose id is not that of its content, and one that nobody knows', async () => {
    const world = await worldWith(textOf('a'))
    const [object] = world.store.objects.values()
    if (object === undefined) return expect.unreachable('nothing is stored')
    await forget(world, 'a')
    const wrongId = '00000000-0000-8000-8000-000000000001' as ObjectId
    await world.store.write([{ ...object, id: wrongId }, world.objectOf(textOf('x'))], never)

    const report = await mend(world)
    expect(report.repair).toMatchObject({ found: { missing: 1, surplus: 2 }, removed: 2, requeued: 1 })
    await expectAllWell(world)
  })

  test('a document that was given up, and whose object is there after all', async () => {
    const world = await worldWith(textOf('a'))
    await world.produce(documentOf('a', 'newer', { version: 2 }))
    await world.drain(() => 'dead')
    await world.store.write([world.objectOf(documentOf('a', 'newer', { version: 2 }))], never)

    const report = await mend(world)
    expect(report.repair).toMatchObject({ found: { mismatch: 1 }, corrected: 1, requeued: 0 })
    expect(report.repair?.removed).toBe(0)
    // Now that the newest is indexed, the older one is too many.
    expect((await mend(world)).repair).toMatchObject({ found: { duplicate: 1 }, removed: 1 })
    await expectAllWell(world)
  })

  test('a payment key that the ledger forgot', async () => {
    const world = await worldWith(textOf('a'))
    stateOf(world).processed.clear()
    expect((await mend(world)).repair).toMatchObject({ found: { mismatch: 1 }, corrected: 1 })
    expect(await world.ledger.processed([paymentKey(world.spec, textOf('a').textHash)])).toEqual([true])
    await expectAllWell(world)
  })

  test('a document that the ledger forgot, or knows in an older content', async () => {
    const world = await worldWith(textOf('a'), documentOf('b', 'old'), textOf('b', { version: 2 }))
    const { latest } = stateOf(world)
    latest.delete(docKey('a'))
    const known = latest.get(docKey('b')) ?? expect.unreachable('b is not known')
    const content = paymentKey(world.spec, documentOf('b', 'old').textHash).slice(-16)
    latest.set(docKey('b'), { ...known, version: 1, generation: 1, content })
    world.paid.length = 0

    const report = await mend(world)
    expect(report.repair).toMatchObject({ found: { mismatch: 2 }, requeued: 2, corrected: 1 })
    await expectAllWell(world)
    expect(world.paid).toEqual([])
  })

  test('a document that was given up without a dead letter, and a record that cannot be read without one', async () => {
    const world = await worldWith(textOf('a'))
    await world.produce(documentOf('b', 'poison'))
    world.log.append(0, 'broken', new TextEncoder().encode('{'))
    await world.drain(() => 'dead')
    world.log.letters.length = 0

    const report = await mend(world)
    expect(report.repair).toMatchObject({ found: { lost: 2 }, requeued: 1, corrected: 1, lettered: 1 })
    expect(report.consistent).toBe(true)
    expect(world.log.letters).toMatchObject([
      { key: 'broken', reason: expect.stringContaining('missing'), attempts: 0 }
    ])
    await expectAllWell(world)
  })
})
