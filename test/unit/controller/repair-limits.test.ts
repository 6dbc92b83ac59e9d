import { docKey } from '@pointsman/core/runtime/identity'
import { describe, expect, test } from 'vitest'
import { repair } from '../../../services/controller/src/verify/repair.ts'
import { documentOf } from '../../support/memory-world.ts'
import {
  expectAllWell,
  forget,
  interrupted,
  mend,
  never,
  options,
  recordsOf,
  stateOf,
  textOf,
  worldWith
} from '../../support/repair-world.ts'

describe('a repair leaves alone', () => {
  test('documents that were never admitted', async () => {
    const world = await worldWith(textOf('a'))
    await world.produce(textOf('b'))
    expect(await mend(world)).toMatchObject({ consistent: true, repair: null, ledger: { unread: 1 } })
    expect(await recordsOf(world, 'b')).toHaveLength(1)
  })

  test('what was given up before the ledger was made anew: its letter tells of it', async () => {
    const world = await worldWith(textOf('a'))
    await world.produce(documentOf('b', 'poison'))
    await world.drain(() => 'dead')
    stateOf(world).latest.delete(docKey('b'))
    const report = await mend(world)
    expect(report).toMatchObject({ consistent: true, repair: null, dead: { count: 1 } })
    expect(report.dead.examples).toMatchObject([{ docId: 'b', detail: 'planted' }])
  })

  test('a missing object whose record has expired', async () => {
    const world = await worldWith(textOf('a', { version: 5 }))
    const partition = world.log.partitionOf('a')
    world.log.trim(partition, 1n)
    await world.produce(documentOf('a', 'late', { version: 3 }))
    await world.drain()
    await forget(world, 'a')

    const report = await mend(world)
    expect(report).toMatchObject({ consistent: false, differences: { missing: { count: 1 } } })
    expect(report.repair).toMatchObject({
      requeued: 0,
      corrected: 0,
      left: { expired: { count: 1, examples: ['a'] } }
    })
  })

  test('an object ahead of the ledger: it may be about to be named', async () => {
    const world = await worldWith(textOf('a'))
    await world.store.write([world.objectOf(documentOf('a', 'from elsewhere'), 7)], never)
    const report = await mend(world)
    expect(report.repair).toMatchObject({
      removed: 0,
      left: { ahead: { count: 1, examples: ['a'] } }
    })
    expect(report.differences.duplicate.count).toBe(1)
  })

  test('an open document that nothing finishes: the ledger itself is broken', async () => {
    const world = await worldWith(textOf('a'))
    const { latest } = stateOf(world)
    const known = latest.get(docKey('a')) ?? expect.unreachable('a is not known')
    latest.set(docKey('a'), { ...known, status: 'open' })
    const report = await mend(world)
    expect(report.repair).toMatchObject({ found: { lost: 1 }, corrected: 0, left: { open: { count: 1 } } })
  })

  test('very many objects that nobody knows, unless it is told to', async () => {
    const world = await worldWith(textOf('a'))
    const strangers = Array.from({ length: 101 }, (_, index) => world.objectOf(textOf(`x${index}`)))
    await world.store.write(strangers, never)

    const first = await mend(world)
    expect(first.repair).toMatchObject({ removed: 0, left: { unknown: { count: 101 } } })
    expect(first.repair?.left.unknown.examples).toHaveLength(10)
    expect((await mend(world, { removeUnknown: true })).repair).toMatchObject({ removed: 101 })
    await expectAllWell(world)
  })

  test('a record behind a newer one of its document, that came while it worked', async () => {
    const world = await worldWith(textOf('a'))
    await forget(world, 'a')
    const count = world.store.heads.bind(world.store)
    let isFirst = true
    world.store.heads = async (docIds, signal) => {
      // Looked at again, and a moment later somebody writes the same version with another text.
      if (isFirst) await world.produce(documentOf('a', 'the latest word'))
      isFirst = false
      return await count(docIds, signal)
    }
    const report = await mend(world)
    expect(report.repair).toMatchObject({ requeued: 0, left: { moved: { count: 1 } } })
    await expectAllWell(world)
    expect([...world.store.objects.values()][0]?.properties.text).toBe('the latest word')
  })

  test('everything, while the ledger is rebuilt', async () => {
    const world = await worldWith(textOf('a'))
    await forget(world, 'a')
    const { ledgerId } = await world.ledger.state()
    const deps = interrupted(world, async () => {
      await world.ledger.distrust(ledgerId, 'lost')
      await world.ledger.open('realtime')
    })
    await expect(repair(deps, options, never)).rejects.toMatchObject({ code: 'LEDGER_REBUILDING' })
    expect(await recordsOf(world, 'a')).toHaveLength(1)
  })
})
