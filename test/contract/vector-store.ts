// What every VectorStore must do. `open` gives an empty store of 8 dimensions on which `prepare` was called.
import { randomUUID } from 'node:crypto'
import type { ObjectId } from '@pointsman/core/domain/identity'
import { vectorOf } from '@pointsman/core/adapters/memory/embedder'
import type { IndexObject, ObjectProperties, VectorStore } from '@pointsman/core/ports/vector-store'
import { docKey } from '@pointsman/core/runtime/identity'
import { describe, expect, test } from 'vitest'

export const contractDimensions = 8

const { signal } = new AbortController()

/** An object that nothing else shares anything with. */
export function sampleObject(
  properties: Partial<ObjectProperties> = {},
  dimensions = contractDimensions
): IndexObject {
  const text = properties.text ?? `a text of ${randomUUID()}`
  return {
    id: randomUUID() as ObjectId,
    vector: vectorOf('model', text, dimensions),
    properties: {
      docId: `notes/${randomUUID()}.md#0`,
      sourceId: 'notes/file.md',
      version: 1,
      generation: 1,
      paymentKey: docKey(randomUUID()),
      chunk: 0,
      chunks: 1,
      title: 'A title',
      text,
      metadata: '{"a":1}',
      ...properties
    }
  }
}

export async function writeAll(store: VectorStore, objects: readonly IndexObject[]): Promise<void> {
  for (let start = 0; start < objects.length; start += 500) {
    const outcomes = await store.write(objects.slice(start, start + 500), signal)
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['stored']))
  }
}

export function vectorStoreContract(adapter: string, open: () => Promise<VectorStore>): void {
  describe(`VectorStore contract: ${adapter}`, () => {
    test('stores objects and finds each by its own vector, with all its properties', async () => {
      const store = await open()
      const objects = Array.from({ length: 20 }, () =>
        sampleObject({ text: `"quoted" ä€𝄞\n${randomUUID()}` })
      )
      await writeAll(store, objects)

      for (const { id, vector, properties } of objects) {
        const [hit] = await store.search(vector, 3, signal)
        expect(hit).toMatchObject({ ...properties, id })
        expect(hit?.score).toBeCloseTo(1, 2)
      }
      expect(await store.count(signal)).toBe(20)
      expect(await store.unindexed(signal)).toBe(0)
    })

    test('orders hits by similarity and gives no more than asked for', async () => {
      const store = await open()
      await writeAll(
        store,
        Array.from({ length: 30 }, () => sampleObject())
      )
      const hits = await store.search(vectorOf('model', 'anything', contractDimensions), 7, signal)

      expect(hits).toHaveLength(7)
      expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).toSorted((a, b) => b - a))
    })

    test('keeps the largest version and the empty strings it is given', async () => {
      const store = await open()
      const properties = { version: Number.MAX_SAFE_INTEGER, generation: 0, title: '', metadata: '' }
      const object = sampleObject(properties)
      await writeAll(store, [object])

      const [hit] = await store.search(object.vector, 1, signal)
      expect(hit).toMatchObject({ ...object.properties, id: object.id })
    })

    test('overwrites an existing id and counts it once', async () => {
      const store = await open()
      const object = sampleObject()
      const changed = { ...object, properties: { ...object.properties, title: 'Another title' } }
      await writeAll(store, [object])
      await writeAll(store, [object])
      await writeAll(store, [changed])

      expect(await store.count(signal)).toBe(1)
      const [hit] = await store.search(object.vector, 1, signal)
      expect(hit).toMatchObject({ id: object.id, title: 'Another title' })
    })

    test('answers nothing for a write of nothing', async () => {
      expect(await (await open()).write([], signal)).toEqual([])
    })

    test('rejects what can never be stored and stores its neighbours', async () => {
      const store = await open()
      const [good, alsoGood] = [sampleObject(), sampleObject()]
      const nan = sampleObject()
      new DataView(nan.vector.buffer).setFloat32(4, Number.NaN, true)
      const bad = [
        { ...sampleObject(), vector: vectorOf('model', 'short', 4) },
        nan,
        { ...sampleObject(), vector: new Uint8Array(contractDimensions * 4) }
      ]
      const outcomes = await store.write([good, ...bad, alsoGood], signal)

      expect(outcomes.map(({ kind }) => kind)).toEqual([
        'stored',
        'rejected',
        'rejected',
        'rejected',
        'stored'
      ])
      expect(await store.count(signal)).toBe(2)
    })

    test('refuses a write whose ids repeat, and one of too many', async () => {
      const store = await open()
      const object = sampleObject()
      const tooMany = Array.from({ length: 501 }, () => sampleObject())

      await expect(store.write([object, object], signal)).rejects.toMatchObject({ code: 'STORE_REJECTED' })
      await expect(store.write(tooMany, signal)).rejects.toMatchObject({ code: 'STORE_REJECTED' })
      expect(await store.count(signal)).toBe(0)
    })

    test('tells which of 1,000 ids are stored', async () => {
      const store = await open()
      const objects = Array.from({ length: 100 }, () => sampleObject())
      await writeAll(store, objects)
      const asked = [
        ...objects.map(({ id }) => id),
        ...Array.from({ length: 900 }, () => randomUUID() as ObjectId)
      ]

      expect(await store.existing(asked, signal)).toEqual(new Set(objects.map(({ id }) => id)))
      expect(await store.existing([], signal)).toEqual(new Set())
    })

    test('gives back the very bytes of a vector by payment key', async () => {
      const store = await open()
      const objects = Array.from({ length: 50 }, () => sampleObject())
      await writeAll(store, objects)
      const absent = docKey('absent')
      const found = await store.vectors(
        [...objects.map(object => object.properties.paymentKey), absent],
        signal
      )

      expect(found.size).toBe(50)
      expect(found.has(absent)).toBe(false)
      for (const { properties, vector } of objects) {
        expect(Buffer.compare(found.get(properties.paymentKey)!, vector)).toBe(0)
      }
    })

    test('finds the vector of a rare payment key among many objects of a common one', async () => {
      const store = await open()
      const [common, rare] = [docKey(randomUUID()), docKey(randomUUID())]
      const shared = Array.from({ length: 1500 }, () =>
        sampleObject({ paymentKey: common, text: 'the same text' })
      )
      await writeAll(store, [...shared, sampleObject({ paymentKey: rare })])

      expect(new Set((await store.vectors([common, rare], signal)).keys())).toEqual(new Set([common, rare]))
    })

    test('removes objects, again and again', async () => {
      const store = await open()
      const objects = Array.from({ length: 10 }, () => sampleObject())
      await writeAll(store, objects)
      const gone = objects.slice(0, 6).map(({ id }) => id)
      await store.remove(gone, signal)
      await store.remove(gone, signal)
      await store.remove([], signal)

      expect(await store.count(signal)).toBe(4)
      expect(await store.existing(gone, signal)).toEqual(new Set())
    })

    test('removes the generations of a document up to one, but for the object to keep', async () => {
      const store = await open()
      const of = (docId: string, generation: number): IndexObject => sampleObject({ docId, generation })
      const [a1, a2, a3, a4] = [of('a', 1), of('a', 2), of('a', 3), of('a', 4)]
      const [b1, b2, c1] = [of('b', 1), of('b', 2), of('c', 1)]
      await writeAll(store, [a1!, a2!, a3!, a4!, b1!, b2!, c1!])
      const removals = [
        { docId: 'a', maxGeneration: 3, keep: a2!.id },
        { docId: 'b', maxGeneration: 9 },
        { docId: 'nowhere', maxGeneration: 9 }
      ]
      await store.removeGenerations(removals, signal)
      await store.removeGenerations(removals, signal)

      const left = await store.heads(['a', 'b', 'c'], signal)
      expect(new Set(left.map(({ id }) => id))).toEqual(new Set([a2!.id, a4!.id, c1!.id]))
    })

    test('walks all objects by pages in ascending order of id', async () => {
      const store = await open()
      const objects = Array.from({ length: 250 }, () => sampleObject())
      await writeAll(store, objects)
      const walked = []
      for (let after: ObjectId | undefined; ; ) {
        const page = await store.page(after, 40, signal)
        if (page.length === 0) break
        walked.push(...page)
        after = page.at(-1)!.id
      }
      const heads = objects.map(
        ({ id, properties: { docId, sourceId, version, generation, paymentKey } }) => {
          return { id, docId, sourceId, version, generation, paymentKey }
        }
      )
      expect(walked).toEqual(heads.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
    })

    test('gives the heads of all objects of the documents asked for, and of no others', async () => {
      const store = await open()
      const docIds = Array.from(
        { length: 30 },
        (_, index) => `Docs/With Space, UPPER and (signs) ${index}.md#0`
      )
      const objects = docIds.flatMap(docId => [
        sampleObject({ docId }),
        sampleObject({ docId, generation: 2 })
      ])
      await writeAll(store, [...objects, sampleObject({ docId: 'docs/with space' })])

      const heads = await store.heads(docIds.slice(0, 20), signal)
      expect(new Set(heads.map(({ id }) => id))).toEqual(new Set(objects.slice(0, 40).map(({ id }) => id)))
      expect(await store.heads([], signal)).toEqual([])
    })

    test('can be prepared again and passes its check', async () => {
      const store = await open()
      await store.prepare(signal)
      await expect(store.check(signal)).resolves.toBeUndefined()
    })

    test('does nothing once aborted', async () => {
      const store = await open()
      const reason = new Error('stopping')
      const aborted = AbortSignal.abort(reason)

      await expect(store.write([sampleObject()], aborted)).rejects.toBe(reason)
      await expect(store.check(aborted)).rejects.toBe(reason)
      expect(await store.count(signal)).toBe(0)
    })
  })
}
