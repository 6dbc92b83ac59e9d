import { docKey } from '@pointsman/core/runtime/identity'
import { describe, expect, test } from 'vitest'
import { repair } from '../../../services/controller/src/verify/repair.ts'
import { verify } from '../../../services/controller/src/verify/verify.ts'
import { documentOf } from '../../support/memory-world.ts'
import {
  expectAllWell,
  forget,
  interrupted,
  mend,
  never,
  options,
  recordsOf,
  textOf,
  worldWith
} from '../../support/repair-world.ts'

describe('a repair may be', () => {
  test('interrupted between correction and record: the next one sends it', async () => {
    const world = await worldWith(textOf('a'), textOf('b'))
    await forget(world, 'a')
    await forget(world, 'b')
    const stop = new AbortController()
    const deps = interrupted(world, async () => stop.abort(new Error('the caller went away')))
    await expect(repair(deps, options, stop.signal)).rejects.toThrow('went away')
    expect(await world.ledger.latest([docKey('a')])).toMatchObject([{ status: 'expected' }])
    expect(await verify(world, options, never)).toMatchObject({
      consistent: false,
      ledger: { expected: 2 },
      differences: { lost: { count: 2 } }
    })

    expect((await mend(world)).repair).toMatchObject({ found: { lost: 2 }, requeued: 2, corrected: 0 })
    await expectAllWell(world)
  })

  test('repeated before anything was admitted: nothing is sent twice', async () => {
    const world = await worldWith(textOf('a'))
    await forget(world, 'a')
    await mend(world)
    expect(await mend(world)).toMatchObject({ consistent: true, repair: null })
    expect(await recordsOf(world, 'a')).toHaveLength(2)
    await expectAllWell(world)
  })

  test('run twice at once, by two controllers', async () => {
    const docIds = Array.from({ length: 30 }, (_, index) => `doc-${index}`)
    const world = await worldWith(...docIds.map(docId => textOf(docId, { version: 2 })))
    for (const docId of docIds.slice(0, 20)) await forget(world, docId)
    await world.store.write(
      docIds.map(docId => world.objectOf(documentOf(docId, 'old'), 1)),
      never
    )
    world.paid.length = 0

    await Promise.all([mend(world), mend(world)])
    await world.drain()
    await mend(world)
    await expectAllWell(world)
    expect(world.paid).toHaveLength(20)
  })

  test('overtaken: what moves between look and correction is left, and named', async () => {
    const world = await worldWith(textOf('a'))
    await forget(world, 'a')
    const deps = interrupted(world, async () => {
      await world.produce(documentOf('a', 'newer', { version: 2 }))
      await world.drain()
    })
    const report = await repair(deps, options, never)
    expect(report.repair).toMatchObject({ requeued: 0, corrected: 0, left: { moved: { examples: ['a'] } } })
    await expectAllWell(world)
  })
})
