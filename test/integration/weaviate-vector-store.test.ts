import { afterAll, expect, inject, test } from 'vitest'
import type { ObjectId } from '@pointsman/core/domain/identity'
import { openWeaviate } from '@pointsman/core/adapters/weaviate/vector-store'
import type { VectorStore } from '@pointsman/core/ports/vector-store'
import { contractDimensions, sampleObject, vectorStoreContract, writeAll } from '../contract/vector-store.ts'
import {
  openTestCollection,
  type TestCollection,
  weaviateSettingsOf
} from '../support/weaviate-collection.ts'

const { signal } = new AbortController()
const settings = weaviateSettingsOf(inject('weaviateUrl'), inject('weaviateGrpcUrl'))
const opened = new AsyncDisposableStack()
afterAll(() => opened.disposeAsync())

async function openCollection(): Promise<TestCollection> {
  return opened.use(await openTestCollection(settings, contractDimensions))
}

vectorStoreContract('weaviate', async (): Promise<VectorStore> => (await openCollection()).store)

test('names every difference of an existing collection', async () => {
  const { collection, store } = await openCollection()
  await writeAll(store, [sampleObject()])
  const other = {
    ...settings,
    WEAVIATE_EF_CONSTRUCTION: 128,
    WEAVIATE_SHARDS: 1,
    WEAVIATE_QUANTIZATION: 'none' as const
  }
  await using elsewhere = openWeaviate(other, collection, contractDimensions + 1)

  const failure: unknown = await elsewhere.prepare(signal).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'COLLECTION_MISMATCH' })
  const lines = String(failure).split('\n').slice(1)
  expect(lines).toEqual([
    '  WEAVIATE_EF_CONSTRUCTION: is 64, wanted 128',
    '  WEAVIATE_QUANTIZATION: is rq8, wanted none',
    '  WEAVIATE_SHARDS: is 2, wanted 1',
    '  EMBEDDING_DIMENSIONS: is 8, wanted 9'
  ])
})

test('names the properties that a foreign collection lacks', async () => {
  const { collection } = await openCollection()
  const url = new URL(`/v1/schema/${collection}`, settings.WEAVIATE_URL)
  await fetch(url, { method: 'DELETE' })
  const foreign = {
    class: collection,
    vectorizer: 'none',
    properties: [{ name: 'text', dataType: ['text'] }]
  }
  await fetch(new URL('/v1/schema', settings.WEAVIATE_URL), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(foreign)
  })
  await using store = openWeaviate(settings, collection, contractDimensions)

  await expect(store.prepare(signal)).rejects.toThrow(
    /property docId: is absent, wanted text field filterable[^]*property text: is text word filterable searchable, wanted text word searchable/
  )
})

test('several services prepare the same collection at once', async () => {
  const { collection } = await openCollection()
  await fetch(new URL(`/v1/schema/${collection}`, settings.WEAVIATE_URL), { method: 'DELETE' })
  await using stack = new AsyncDisposableStack()
  const stores = Array.from({ length: 4 }, () =>
    stack.use(openWeaviate(settings, collection, contractDimensions))
  )

  await Promise.all(stores.map(store => store.prepare(signal)))
  await Promise.all(stores.map(store => store.check(signal)))
})

test('is unavailable while the collection is missing, and stores nothing', async () => {
  const { collection, store } = await openCollection()
  await fetch(new URL(`/v1/schema/${collection}`, settings.WEAVIATE_URL), { method: 'DELETE' })

  await expect(store.check(signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  await expect(store.write([sampleObject()], signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
})

test('a read-only shard stops writing and checking, until it is ready again', async () => {
  const { collection, store } = await openCollection()
  const shards = new URL(`/v1/schema/${collection}/shards`, settings.WEAVIATE_URL)
  const names = ((await (await fetch(shards)).json()) as { name: string }[]).map(({ name }) => name)
  const setStatus = async (status: string): Promise<void> => {
    for (const name of names.slice(0, 1)) {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify({ status })
      const { ok } = await fetch(`${shards.href}/${name}`, { method: 'PUT', headers, body })
      expect(ok).toBe(true)
    }
  }
  const objects = Array.from({ length: 100 }, () => sampleObject())
  await setStatus('READONLY')

  await expect(store.check(signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  await expect(store.write(objects, signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })

  await setStatus('READY')
  await store.check(signal)
  await writeAll(store, objects)
  expect(await store.count(signal)).toBe(objects.length)
  for (const { id, vector } of objects) {
    expect((await store.search(vector, 5, signal)).map(hit => hit.id)).toContain(id)
  }
})

test('refuses bad objects before the call: the rest of the call is stored', async () => {
  const { store } = await openCollection()
  const good = sampleObject()
  const bad = [
    { ...sampleObject(), id: 'not-a-uuid' as ObjectId },
    sampleObject({ text: 'half a \ud800 pair' }),
    sampleObject({ version: Number.NaN })
  ]
  const outcomes = await store.write([...bad, good], signal)

  expect(outcomes.map(({ kind }) => kind)).toEqual(['rejected', 'rejected', 'rejected', 'stored'])
  expect(await store.existing([good.id], signal)).toEqual(new Set([good.id]))
})

test('removes more than 10,000 objects of one document, and walks 12,000 by pages', {
  timeout: 120_000
}, async () => {
  const { store } = await openCollection()
  const objects = Array.from({ length: 12_000 }, () => sampleObject({ docId: 'large' }))
  await writeAll(store, [...objects, sampleObject({ docId: 'other' })])

  const walked = new Set<ObjectId>()
  for (let after: ObjectId | undefined; ; ) {
    const page = await store.page(after, 5_000, signal)
    for (const { id } of page) walked.add(id)
    after = page.at(-1)?.id
    if (after === undefined) break
  }
  expect(walked.size).toBe(12_001)
  expect(await store.heads(['large'], signal)).toHaveLength(12_000)
  await store.removeGenerations([{ docId: 'large', maxGeneration: 1 }], signal)
  expect(await store.count(signal)).toBe(1)
})
