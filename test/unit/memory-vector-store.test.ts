import { MemoryVectorStore } from '@pointsman/core/adapters/memory/vector-store'
import { expect, test } from 'vitest'
import { contractDimensions, sampleObject, vectorStoreContract } from '../contract/vector-store.ts'

const { signal } = new AbortController()

async function open(): Promise<MemoryVectorStore> {
  const store = new MemoryVectorStore(contractDimensions)
  await store.prepare(signal)
  return store
}

vectorStoreContract('memory', open)

test('fails as scripted, once per write and in order', async () => {
  const store = await open()
  const objects = [sampleObject(), sampleObject()]
  const unavailable = { code: 'STORE_UNAVAILABLE' }
  const unknown = [
    { kind: 'unknown', reason: 'the answer was lost' },
    { kind: 'unknown', reason: 'the answer was lost' }
  ]
  store.fail('refused', 'unknown-absent', 'unknown-stored', 'lost-answer')

  await expect(store.write(objects, signal)).rejects.toMatchObject(unavailable)
  expect(await store.write(objects, signal)).toEqual(unknown)
  expect(store.objects.size).toBe(0)
  expect(await store.write(objects.slice(0, 1), signal)).toEqual(unknown.slice(0, 1))
  expect(store.objects.size).toBe(1)
  await expect(store.write(objects, signal)).rejects.toMatchObject(unavailable)
  expect(store.objects.size).toBe(2)
  expect(await store.write(objects, signal)).toEqual([{ kind: 'stored' }, { kind: 'stored' }])
})

test('is down as long as it is told to be', async () => {
  const store = await open()
  store.setDown(true)
  await expect(store.check(signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  await expect(store.count(signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  store.setDown(false)
  await expect(store.check(signal)).resolves.toBeUndefined()
})

test('rejects the documents it is told to reject', async () => {
  const store = await open()
  store.reject('bad')
  const outcomes = await store.write([sampleObject({ docId: 'bad' }), sampleObject()], signal)

  expect(outcomes.map(({ kind }) => kind)).toEqual(['rejected', 'stored'])
})
