// Writes whose outcome nobody was told, on the real server: cut off by us, and by a kill of the server. The second
// needs a server of its own.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openWeaviate } from '@pointsman/core/adapters/weaviate/vector-store'
import type { ObjectId } from '@pointsman/core/domain/identity'
import type { IndexObject, VectorStore, WriteOutcome } from '@pointsman/core/ports/vector-store'
import { expect, inject, test, vi } from 'vitest'
import { sampleObject, writeAll } from '../contract/vector-store.ts'
import { startOwnServers } from '../support/own-servers.ts'
import { openTestCollection, weaviateSettingsOf } from '../support/weaviate-collection.ts'

const { signal } = new AbortController()
const dimensions = 256
const patience = { timeout: 15_000, interval: 20 }

function sampleObjects(count: number): readonly IndexObject[] {
  return Array.from({ length: count }, () => sampleObject({}, dimensions))
}

/** Searched for side by side: there may be hundreds. */
async function unfound(store: VectorStore, objects: readonly IndexObject[]): Promise<readonly ObjectId[]> {
  const missing: ObjectId[] = []
  const queue = objects.values()
  const searcher = async (): Promise<void> => {
    for (const { id, vector } of queue) {
      const hits = await store.search(vector, 5, signal)
      if (!hits.some(hit => hit.id === id)) missing.push(id)
    }
  }
  await Promise.all(Array.from({ length: 8 }, searcher))
  return missing
}

/** Stored without index entries: what a writer leaves that is killed while Weaviate works for it. */
async function cutOff(store: VectorStore): Promise<readonly IndexObject[]> {
  for (;;) {
    const objects = sampleObjects(200)
    const killed = new AbortController()
    const before = await store.count(signal)
    const writing = store.write(objects, killed.signal).catch(() => undefined)
    while ((await store.count(signal)) === before) await nextTurn()
    killed.abort()
    await writing
    await vi.waitUntil(async () => (await store.count(signal)) >= before + objects.length, patience)
    if ((await unfound(store, objects.slice(-20))).length > 0) return objects
  }
}

test('objects of a write that was cut off are found by search after a look whether they exist', async () => {
  const settings = weaviateSettingsOf(inject('weaviateUrl'), inject('weaviateGrpcUrl'))
  await using opened = await openTestCollection(settings, dimensions)
  const { collection, store } = opened
  const objects = await cutOff(store)
  const countBefore = await store.count(signal)

  // Another process took over: it has no memory of the write.
  await using successor = openWeaviate(settings, collection, dimensions)
  const ids = objects.map(({ id }) => id)
  expect(await successor.existing(ids, signal)).toEqual(new Set(ids))
  expect(await unfound(store, objects)).toEqual([])
  expect(await store.count(signal)).toBe(countBefore)

  const keys = objects.map(({ properties }) => properties.paymentKey)
  const vectors = await store.vectors(keys, signal)
  for (const { vector, properties } of objects) {
    expect(Buffer.compare(vectors.get(properties.paymentKey)!, vector)).toBe(0)
  }
})

test('writing again what was cut off makes it searchable, and writing it once more changes nothing', async () => {
  const settings = weaviateSettingsOf(inject('weaviateUrl'), inject('weaviateGrpcUrl'))
  await using opened = await openTestCollection(settings, dimensions)
  const { store } = opened
  const objects = await cutOff(store)
  await writeAll(store, objects)
  await writeAll(store, objects)

  expect(await unfound(store, objects)).toEqual([])
})

test('kill -9 of Weaviate during writes loses no object, and all are found by search', {
  timeout: 120_000
}, async () => {
  await using stack = await startOwnServers('weaviate')
  const settings = weaviateSettingsOf(stack.env.WEAVIATE_URL, stack.env.WEAVIATE_GRPC_URL)
  await using store = openWeaviate(settings, 'Killed', dimensions)
  await store.prepare(signal)
  const server = stack.part('weaviate')
  const batches = Array.from({ length: 12 }, () => sampleObjects(125))
  const acknowledged: IndexObject[] = []
  const open = new Set(batches)

  const tryAll = async (): Promise<void> => {
    const queue = [...open].values()
    const worker = async (): Promise<void> => {
      for (const batch of queue) {
        const outcomes = await store.write(batch, signal)
        if (!outcomes.every(({ kind }: WriteOutcome) => kind === 'stored')) continue
        acknowledged.push(...batch)
        open.delete(batch)
      }
    }
    const [first, second] = await Promise.allSettled([worker(), worker()])
    for (const result of [first, second]) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
  }
  const firstTry = tryAll()
  await vi.waitUntil(() => acknowledged.length >= 500, patience)
  await server.kill()
  await firstTry
  expect(open.size).toBeGreaterThan(0)

  await server.restart()
  await vi.waitFor(() => store.check(signal), patience)
  while (open.size > 0) await tryAll()

  expect(await store.count(signal)).toBe(1_500)
  // The documents are found by their names, so that what replaces them can remove them.
  const heads = await store.heads(
    acknowledged.map(({ properties }) => properties.docId),
    signal
  )
  expect(heads).toHaveLength(1_500)
  // Weaviate keeps the last of its graph in memory, also of what it acknowledged: a look at each puts it right.
  const ids = acknowledged.map(({ id }) => id)
  expect((await store.existing(ids, signal)).size).toBe(1_500)
  expect(await unfound(store, acknowledged)).toEqual([])
})

test('a frozen Weaviate is unavailable within the deadline, and available when it goes on', {
  timeout: 120_000
}, async () => {
  await using stack = await startOwnServers('weaviate')
  const settings = weaviateSettingsOf(stack.env.WEAVIATE_URL, stack.env.WEAVIATE_GRPC_URL)
  await using store = openWeaviate(settings, 'Frozen', dimensions, {
    writeDeadlineMs: 500,
    queryDeadlineMs: 500
  })
  await store.prepare(signal)
  const objects = sampleObjects(50)
  const server = stack.part('weaviate')

  await server.freeze()
  await expect(store.write(objects, signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  await expect(store.check(signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  server.resume()
  await vi.waitFor(() => store.check(signal), patience)
  await writeAll(store, objects)
  expect(await unfound(store, objects)).toEqual([])
})
