// Answers that a real Weaviate gives too seldom to wait for; the stub is in test/support/stub-weaviate.ts.
import { collectionSchema } from '@pointsman/core/adapters/weaviate/collection-schema'
import { openWeaviate } from '@pointsman/core/adapters/weaviate/vector-store'
import type { IndexObject, VectorStore } from '@pointsman/core/ports/vector-store'
import { docKey } from '@pointsman/core/runtime/identity'
import { expect, test } from 'vitest'
import { Sweeper } from '../../services/controller/src/sweeper/sweeper.ts'
import { contractDimensions, sampleObject } from '../contract/vector-store.ts'
import { MemoryWorld } from '../support/memory-world.ts'
import { StubWeaviate } from '../support/stub-weaviate.ts'
import { weaviateSettingsOf } from '../support/weaviate-collection.ts'

const { signal } = new AbortController()

function storeOn(stub: StubWeaviate): VectorStore & AsyncDisposable {
  const settings = weaviateSettingsOf(stub.url, stub.grpcUrl)
  return openWeaviate(settings, 'Stub', contractDimensions, { writeDeadlineMs: 300, queryDeadlineMs: 2_000 })
}

function sampleObjects(count: number): readonly IndexObject[] {
  return Array.from({ length: count }, () => sampleObject())
}

const beingMade = 'explorer: list class: search: tried to browse non-existing index for Stub'

test('a collection that is shown before its shards are made is waited for', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  stub.show(collectionSchema('Stub', weaviateSettingsOf(stub.url, stub.grpcUrl)))
  stub.refuseSearches(beingMade, beingMade, beingMade)

  await store.prepare(signal)
})

test('a collection whose shards are never made is unavailable within the deadline, or as soon as nobody waits', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  stub.show(collectionSchema('Stub', weaviateSettingsOf(stub.url, stub.grpcUrl)))
  stub.refuseSearches(...Array.from({ length: 1_000 }, () => beingMade))

  await expect(store.prepare(signal)).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining(beingMade)
  })
  const stop = new AbortController()
  const reason = new Error('stopping')
  const preparing = store.prepare(stop.signal)
  stop.abort(reason)
  await expect(preparing).rejects.toBe(reason)
})

test('one bad object in a call is rejected by its index, the rest is stored', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  stub.script({ store: index => index !== 3, errors: { 3: 'invalid text property' } })
  const outcomes = await store.write(sampleObjects(10), signal)

  expect(outcomes.map(({ kind }) => kind).join(' ')).toBe(
    'stored stored stored rejected stored stored stored stored stored stored'
  )
  expect(outcomes[3]).toEqual({ kind: 'rejected', reason: 'invalid text property' })
})

test('a reply with one error for a call that stored nothing acknowledges nothing', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  stub.script({ store: () => false, errors: { 0: 'something is wrong with this one' } })
  const outcomes = await store.write(sampleObjects(400), signal)

  expect(outcomes[0]?.kind).toBe('rejected')
  expect(new Set(outcomes.slice(1).map(({ kind }) => kind))).toEqual(new Set(['unknown']))
})

test('an error for an index that was not sent acknowledges nothing unseen', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  stub.script({ store: index => index === 1, errors: { 99: 'invalid' } })
  const outcomes = await store.write(sampleObjects(3), signal)

  expect(outcomes.map(({ kind }) => kind)).toEqual(['unknown', 'stored', 'unknown'])
})

test.each([
  'store is read-only due to: disk usage too high',
  'insert to vector index: not enough memory',
  'write: no space left on device',
  'could not find index for class Stub. It might have been deleted in the meantime'
])('"%s" for one object means that the store is unavailable', async refusal => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  stub.script({ store: () => false, errors: { 1: refusal } })

  await expect(store.write(sampleObjects(3), signal)).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining(refusal)
  })
})

test('an object whose error says that the call was cut off is unknown when it is absent', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  stub.script({ store: () => false, errors: { 0: 'insert to vector index: context canceled' } })

  expect((await store.write(sampleObjects(1), signal)).map(({ kind }) => kind)).toEqual(['unknown'])
})

test('without an answer in time, what is read back is stored and the rest unknown', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  stub.script({ store: index => index < 2, answer: 'never' })
  const outcomes = await store.write(sampleObjects(4), signal)

  expect(outcomes.map(({ kind }) => kind)).toEqual(['stored', 'stored', 'unknown', 'unknown'])
})

test('a connection cut after storing leaves the whole outcome unknown', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  stub.script({ answer: 'reset' })

  await expect(store.write(sampleObjects(4), signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  expect(stub.ids.size).toBe(4)
})

test('what is read back but found by no search is indexed anew, with the vector as it was', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  const objects = sampleObjects(4)
  stub.script({ index: index => index > 1, answer: 'never' })
  const outcomes = await store.write(objects, signal)

  expect(outcomes.map(({ kind }) => kind)).toEqual(['stored', 'stored', 'stored', 'stored'])
  for (const { id, vector } of objects) {
    expect(stub.searchable(id)).toBe(true)
    expect(Buffer.compare(stub.vector(id)!, vector)).toBe(0)
  }
})

test('an object that the index of ids lost is known to exist, and is indexed anew', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  const [lost, absent] = sampleObjects(2)
  stub.put(lost!, true)
  stub.hide(lost!.id)

  expect(await store.existing([lost!.id, absent!.id], signal)).toEqual(new Set([lost!.id]))
  expect(await store.existing([lost!.id], signal)).toEqual(new Set([lost!.id]))
  expect(stub.inserts).toBe(2)
  expect(Buffer.compare(stub.vector(lost!.id)!, lost!.vector)).toBe(0)
})

test('what falls out of reach while others are indexed anew is noticed, and indexed anew', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  const [reachable, lost] = sampleObjects(2)
  stub.put(reachable!, true)
  stub.put(lost!, false)
  stub.script({}, { unlinks: reachable!.id }, {}, { unlinks: lost!.id })
  const ids = [reachable!.id, lost!.id]

  expect(await store.existing(ids, signal)).toEqual(new Set(ids))
  expect(ids.map(id => stub.searchable(id))).toEqual([true, true])
  expect(stub.inserts).toBe(6)
})

test('what is settled and fell out of reach later is found again after a walk of the sweeper', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  const objects = sampleObjects(5)
  for (const [index, object] of objects.entries()) stub.put(object, index % 2 === 0)
  const { clock, ledger } = new MemoryWorld()
  await ledger.open('realtime', 'lost')
  await ledger.restore(
    objects.map(({ properties: { docId, generation, paymentKey: content, version } }) => ({
      docKey: docKey(docId),
      content,
      version,
      generation
    }))
  )
  await ledger.endRebuild({ epoch: 1, defaultLane: 'realtime', partitions: new Map() })
  const quiet = { trouble: () => '', onPage: () => undefined }
  // The stub lists ids alone.
  const properties = new Map(objects.map(object => [object.id, object.properties]))
  const listing = {
    existing: store.existing.bind(store),
    heads: store.heads.bind(store),
    remove: store.remove.bind(store),
    page: async (...args: Parameters<VectorStore['page']>) =>
      (await store.page(...args)).map(head => ({ ...head, ...properties.get(head.id) }))
  }
  const deps = { ledger, store: listing, clock, ...quiet }
  const sweeper = new Sweeper(deps, { pauseMs: 0, restMs: 0, pageObjects: 2 })
  while ((await sweeper.step(signal)) === 'page');

  expect(sweeper.report()).toMatchObject({ resting: '', walks: 1 })
  for (const { id, vector } of objects) {
    expect(stub.searchable(id)).toBe(true)
    expect(Buffer.compare(stub.vector(id)!, vector)).toBe(0)
  }
})

test('a write again of what was unknown is stored only once a search finds it', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  const [object] = sampleObjects(1)
  stub.script({ store: () => false, answer: 'never' })
  expect((await store.write([object!], signal)).map(({ kind }) => kind)).toEqual(['unknown'])

  // The call that was cut off goes on in the server: it stores, and never indexes.
  stub.put(object!, false)
  expect(await store.write([object!], signal)).toEqual([{ kind: 'stored' }])
  expect(stub.searchable(object!.id)).toBe(true)
})

test('a write that was acknowledged is not read back', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  stub.script({ index: () => false })
  await store.write(sampleObjects(2), signal)

  expect(stub.inserts).toBe(1)
})

test('an abort during the call throws the reason and leaves no request behind', async () => {
  await using stub = await StubWeaviate.start()
  await using store = storeOn(stub)
  const stop = new AbortController()
  const reason = new Error('stopping')
  stub.script({ answer: 'never' })
  const writing = store.write(sampleObjects(2), stop.signal)
  stop.abort(reason)

  await expect(writing).rejects.toBe(reason)
})

test('no server: every method is unavailable, and says so before the deadline', async () => {
  const settings = weaviateSettingsOf('http://127.0.0.1:1', 'http://127.0.0.1:1')
  await using store = openWeaviate(settings, 'Nowhere', contractDimensions)
  const { id, properties } = sampleObject()
  const calls = [
    store.prepare(signal),
    store.check(signal),
    store.write([sampleObject()], signal),
    store.existing([id], signal),
    store.vectors([properties.paymentKey], signal),
    store.remove([id], signal),
    store.removeGenerations([{ docId: 'a', maxGeneration: 1 }], signal),
    store.page(undefined, 10, signal),
    store.heads(['a'], signal),
    store.count(signal),
    store.unindexed(signal),
    store.search(sampleObject().vector, 1, signal)
  ]
  for (const result of await Promise.allSettled(calls)) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } })
  }
})
