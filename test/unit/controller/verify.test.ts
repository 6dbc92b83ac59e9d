import type { Digest, ObjectId } from '@pointsman/core/domain/identity'
import { docKey } from '@pointsman/core/runtime/identity'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NewestTable } from '../../../services/controller/src/verify/newest-table.ts'
import { verify } from '../../../services/controller/src/verify/verify.ts'
import {
  type DifferenceKind,
  differenceKinds,
  type VerifyReport,
  verifyReport
} from '../../../services/controller/src/verify/verify-report.ts'
import { documentOf, MemoryWorld } from '../../support/memory-world.ts'

const never = new AbortController().signal

function audit(world: MemoryWorld, examples = 10): Promise<VerifyReport> {
  return verify(world, { examples, onProgress: () => undefined }, never)
}

function counts(report: VerifyReport): Partial<Record<DifferenceKind, number>> {
  const all = differenceKinds.map(kind => [kind, report.differences[kind].count] as const)
  return Object.fromEntries(all.filter(([, count]) => count > 0))
}

async function worldWith(...docIds: readonly string[]): Promise<MemoryWorld> {
  const world = new MemoryWorld()
  await world.produce(...docIds.map(docId => documentOf(docId, `text of ${docId}`)))
  await world.drain()
  return world
}

test('a world in order shows no difference', async () => {
  const world = await worldWith('a', 'b', 'c')
  await world.produce(
    documentOf('a', 'new text', { version: 2 }),
    documentOf('b', '', { version: 2, deleted: true })
  )
  await world.drain()

  const report = await audit(world)
  expect(counts(report)).toEqual({})
  expect(report).toMatchObject({ consistent: true, quiet: true })
  expect(report.log).toEqual({ records: 5, documents: 2, deleted: 1, unreadable: 0, unknownSchema: 0 })
  expect(report.ledger).toMatchObject({ indexed: 2, deleted: 1 })
  expect(report.index.objects).toBe(2)
  expect(() => verifyReport.parse(report)).not.toThrow()
})

test('a text that came back is judged by its newest generation', async () => {
  const world = await worldWith()
  for (const [version, text] of ['first', 'second', 'first'].entries()) {
    await world.produce(documentOf('a', text, { version: version + 1 }))
    await world.drain()
  }
  expect(counts(await audit(world))).toEqual({})
})

test('an older version that arrives late changes nothing', async () => {
  const world = await worldWith()
  await world.produce(documentOf('a', 'new', { version: 9 }), documentOf('a', 'old', { version: 3 }))
  await world.drain()
  expect(counts(await audit(world))).toEqual({})
})

describe('planted differences are found and named', () => {
  test('missing: the object of an indexed document is gone', async () => {
    const world = await worldWith('a', 'b')
    const [id] = [...world.store.objects.values()].filter(({ properties }) => properties.docId === 'b')
    await world.store.remove(id ? [id.id] : [], never)

    const report = await audit(world)
    expect(counts(report)).toEqual({ missing: 1 })
    expect(report.consistent).toBe(false)
    expect(report.differences.missing.examples).toMatchObject([{ docId: 'b', version: 1, objectId: null }])
  })

  test('duplicate and stale: an object of an older content stands beside or instead of the newest', async () => {
    const world = await worldWith('a', 'b')
    const old = ['a', 'b'].map(docId => world.objectOf(documentOf(docId, 'old', { version: 0 })))
    await world.store.write(old, never)
    const newest = [...world.store.objects.values()].find(
      ({ properties }) => properties.docId === 'b' && properties.generation === 1
    )
    await world.store.remove(newest ? [newest.id] : [], never)

    const report = await audit(world)
    expect(counts(report)).toEqual({ duplicate: 1, stale: 1 })
    expect(report.differences.duplicate.examples).toMatchObject([
      { docId: 'a', detail: '2 objects instead of one' }
    ])
    expect(report.differences.stale.examples).toMatchObject([{ docId: 'b' }])
  })

  test('stale: the object has the right content but an older generation', async () => {
    const world = await worldWith('a')
    await world.produce(documentOf('a', 'between', { version: 2 }))
    await world.drain()
    await world.produce(documentOf('a', 'text of a', { version: 3 }))
    await world.drain()
    await world.store.remove([...world.store.objects.keys()], never)
    await world.store.write([world.objectOf(documentOf('a', 'text of a'), 1)], never)

    const report = await audit(world)
    expect(counts(report)).toEqual({ stale: 1 })
    expect(report.differences.stale.examples[0]?.detail).toContain('generation 1')
  })

  test('surplus: a deleted document still there, and one that nobody knows', async () => {
    const world = await worldWith('a')
    await world.produce(documentOf('a', '', { version: 2, deleted: true }))
    await world.drain()
    await world.store.write(
      [world.objectOf(documentOf('a', 'text of a')), world.objectOf(documentOf('x', 'x'))],
      never
    )

    const report = await audit(world)
    expect(counts(report)).toEqual({ surplus: 2 })
    expect(report.differences.surplus.examples.map(({ docId }) => docId).toSorted()).toEqual(['a', 'x'])
  })

  test('surplus: an object whose id is not that of its content', async () => {
    const world = await worldWith('a')
    const [object] = world.store.objects.values()
    if (!object) return expect.unreachable('nothing stored')
    await world.store.remove([object.id], never)
    await world.store.write([{ ...object, id: '00000000-0000-8000-8000-000000000001' as ObjectId }], never)
    expect(counts(await audit(world))).toEqual({ missing: 1, surplus: 1 })
  })

  test('lost: admitted, and the ledger knows nothing of it', async () => {
    const world = await worldWith('a')
    await world.produce(documentOf('b', 'text'), documentOf('c', 'text'))
    const owner = (await world.ledger.register({ instance: 'i', service: 's', leaseMs: 1 })).owner
    for (const [partition, { end }] of await world.admin.bounds()) {
      const { frontier } = (await world.ledger.state()).partitions.get(partition) ?? { frontier: 0n }
      const slices = [{ partition, from: frontier, to: end, candidates: [] }]
      const obligation = `${owner}.${partition}` as never
      await world.ledger.admit({ epoch: 1, lane: 'realtime', owner, obligation, slices })
    }
    const report = await audit(world)
    expect(counts(report)).toEqual({ lost: 2 })
    expect(report.differences.lost.examples.map(({ docId }) => docId).toSorted()).toEqual(['b', 'c'])
  })

  test('lost: given up, but not among the dead letters', async () => {
    const world = await worldWith('a')
    await world.produce(documentOf('b', 'poison'))
    await world.drain(() => 'dead')
    world.log.letters.length = 0
    expect(counts(await audit(world))).toEqual({ lost: 1 })
  })

  test('mismatch: index and log agree, the ledger has forgotten', async () => {
    const world = await worldWith('a')
    const { admin, ranges, codec, letters, store, clock, spec } = world
    const forgetful = {
      admin,
      ranges,
      codec,
      letters,
      store,
      clock,
      spec,
      ledger: {
        survey: () => world.ledger.survey(),
        processed: (keys: readonly Digest[]) => world.ledger.processed(keys),
        latest: async (keys: readonly Digest[]) => keys.map(() => undefined)
      }
    }
    const report = await verify(forgetful, { examples: 1, onProgress: () => undefined }, never)
    expect(counts(report)).toEqual({ mismatch: 1 })
  })

  test('mismatch: an indexed content that is not among the processed may be paid again', async () => {
    const world = await worldWith('a')
    const { admin, ranges, codec, letters, store, clock, spec } = world
    const forgetful = {
      admin,
      ranges,
      codec,
      letters,
      store,
      clock,
      spec,
      ledger: {
        survey: () => world.ledger.survey(),
        processed: async (keys: readonly Digest[]) => keys.map(() => false),
        latest: (keys: readonly Digest[]) => world.ledger.latest(keys)
      }
    }
    const report = await verify(forgetful, { examples: 1, onProgress: () => undefined }, never)
    expect(counts(report)).toEqual({ mismatch: 1 })
    expect(report.differences.mismatch.examples[0]?.detail).toContain('paid again')
  })
})

describe('what is no difference', () => {
  test('dead letters are counted and named', async () => {
    const world = await worldWith('a')
    await world.produce(documentOf('b', 'poison'))
    await world.drain(() => 'dead')
    const report = await audit(world)
    expect(report.consistent).toBe(true)
    expect(report.dead).toMatchObject({ count: 1, examples: [{ docId: 'b', detail: 'planted' }] })
  })

  test('a record that cannot be read stands among the dead letters', async () => {
    const world = await worldWith('a')
    world.log.append(0, 'broken', new TextEncoder().encode('{'))
    await world.drain()
    const report = await audit(world)
    expect(report.log.unreadable).toBe(1)
    expect(report.dead.examples).toMatchObject([{ docId: 'broken', detail: 'unreadable' }])
    expect(report.consistent).toBe(true)
  })

  test('open and unread documents are work, and the report is not quiet', async () => {
    const world = await worldWith('a')
    await world.produce(documentOf('b', 'text b'))
    await world.drain(() => 'open')
    await world.produce(documentOf('c', 'text c'))
    const report = await audit(world)
    expect(report).toMatchObject({
      consistent: true,
      quiet: false,
      ledger: { open: 1, unread: 1, indexed: 1 }
    })
  })

  test('a ledger that was rebuilt from the objects knows a content in the version in which it was indexed', async () => {
    const world = await worldWith('a')
    await world.produce(documentOf('a', 'text of a', { version: 4 }))
    await world.drain()
    const latest = world.ledgerServer.state?.latest
    const known = latest?.get(docKey('a')) ?? expect.unreachable('a is not known')
    expect(known.version).toBe(4)
    latest?.set(docKey('a'), { ...known, version: 1 })
    expect(await audit(world)).toMatchObject({ consistent: true, quiet: true, ledger: { indexed: 1 } })
  })

  test('objects older than the log are judged by the ledger', async () => {
    const world = await worldWith('a', 'b')
    for (const [partition, { end }] of await world.admin.bounds()) world.log.trim(partition, end)
    const report = await audit(world)
    expect(report).toMatchObject({ consistent: true, index: { objects: 2, olderThanLog: 2 } })
  })
})

test('what is indexed while verify reads is no difference', async () => {
  const world = await worldWith('a', 'b')
  await world.produce(documentOf('c', 'text c'))
  const { admin, ranges, codec, letters, ledger, clock, spec } = world
  // The document is indexed after the index was walked through, and before the ledger is asked.
  const store = {
    count: () => world.store.count(never),
    unindexed: () => world.store.unindexed(never),
    heads: (docIds: readonly string[]) => world.store.heads(docIds, never),
    page: async (after: ObjectId | undefined, limit: number) => {
      const page = await world.store.page(after, limit, never)
      if (page.length === 0) await world.drain()
      return page
    }
  }
  const deps = { admin, ranges, codec, letters, ledger, clock, spec, store }
  const report = await verify(deps, { examples: 10, onProgress: () => undefined }, never)
  expect(counts(report)).toEqual({})
  expect(report.ledger.indexed).toBe(3)
})

test('examples are limited, counts are not', async () => {
  const docIds = Array.from({ length: 30 }, (_, index) => `doc-${index}`)
  const world = await worldWith(...docIds)
  await world.store.remove([...world.store.objects.keys()], never)
  const { missing } = (await audit(world, 3)).differences
  expect(missing.count).toBe(30)
  expect(missing.examples).toHaveLength(3)
})

test('progress is told for each reading', async () => {
  const world = await worldWith('a', 'b')
  const told: string[] = []
  await verify(
    world,
    { examples: 0, onProgress: ({ phase, done, total }) => told.push(`${phase} ${done}/${total}`) },
    never
  )
  expect(told).toEqual(expect.arrayContaining(['log 2/2', 'index 2/2', 'ledger 2/2']))
})

test('the table keeps the newest version of each of many documents, as a map would', () => {
  const versions = fc.array(
    fc.record({ doc: fc.nat(40), version: fc.nat(5), offset: fc.nat(50), deleted: fc.boolean() }),
    { maxLength: 300 }
  )
  fc.assert(
    fc.property(versions, notes => {
      const table = new NewestTable(8)
      const map = new Map<string, (typeof notes)[number]>()
      for (const entry of notes) {
        const key = docKey(`doc-${entry.doc}`)
        const content = entry.deleted ? undefined : docKey(`content-${entry.version}-${entry.offset}`)
        table.note(key, { version: entry.version, partition: 0, offset: entry.offset, content })
        const known = map.get(key)
        const newer =
          !known ||
          entry.version > known.version ||
          (entry.version === known.version && entry.offset > known.offset)
        if (newer) map.set(key, entry)
      }
      expect(table.size).toBe(map.size)
      for (const [key, entry] of map) {
        const place = table.find(key as Digest) ?? expect.unreachable('not found')
        const content = entry.deleted ? undefined : docKey(`content-${entry.version}-${entry.offset}`)
        expect(table.newest(place)).toEqual({
          version: entry.version,
          partition: 0,
          offset: entry.offset,
          content
        })
      }
    })
  )
})
