// What our index settings are worth: the rate at which objects become searchable (ASYNC_INDEXING=false, so at the
// acknowledgement) against Weaviate's defaults, and the recall against brute force that they leave. Both collections
// are filled in turns, slice by slice, on one server of its own: whatever else slows the machine slows both.
import { openOpenai } from '@pointsman/core/adapters/openai/embedder'
import { openWeaviate } from '@pointsman/core/adapters/weaviate/vector-store'
import type { ObjectId } from '@pointsman/core/domain/identity'
import type { IndexObject, VectorStore } from '@pointsman/core/ports/vector-store'
import { docKey, objectId } from '@pointsman/core/runtime/identity'
import { weaviateSettings } from '@pointsman/core/runtime/settings'
import { startLocalOpenai } from '@pointsman/local-openai/start-local-openai'
import { z } from 'zod'
import { startStack } from '../tools/stack/start-stack.ts'
import type { Bench } from './bench.ts'
import { seededTexts } from './support/documents.ts'
import { markdownChunks } from './support/markdown-chunks.ts'
import { clusteredVectors, nearestByBruteForce } from './support/nearest.ts'
import { rounded } from './support/spread.ts'

const dimensions = 1536
const objectCount = 20_000
const sliceObjects = 2_000
const callObjects = 256
const callsInFlight = 2
const realObjectCount = 3_000
const queryCount = 60
const neighbours = 10
const textsPerRequest = 64

interface Item {
  readonly vector: Float32Array
  readonly text: string
}

export const bench: Bench = async ({ say, signal }) => {
  await using stack = await startStack({ parts: ['weaviate'], weaviateMemoryLimit: '3GiB', log: say, signal })
  const settings = z.object(weaviateSettings).parse(stack.env)

  await using ours = openWeaviate(settings, 'Ours', dimensions)
  await ours.prepare(signal)
  await createByDefault(settings.WEAVIATE_URL, 'Theirs')
  await using theirs = openWeaviate(settings, 'Theirs', dimensions)

  say(`making ${objectCount} vectors of ${dimensions} dimensions`)
  const vectors = clusteredVectors('index', objectCount + queryCount, dimensions)
  const texts = [...seededTexts('index', objectCount)]
  const items = texts.map(({ text }, index) => ({ text, vector: vectors[index] ?? new Float32Array() }))
  const rates = await fillInTurns({ ours, theirs }, items.map(objectOf), say, signal)
  const recall = await recallOf(ours, items, vectors.slice(objectCount), signal)

  say(`embedding ${realObjectCount} passages of Markdown with MiniLM`)
  const real = await realItems(stack.env.MINILM_DIR, signal)
  const realDimensions = real[0]?.vector.length ?? 0
  await using oursReal = openWeaviate(settings, 'OursReal', realDimensions)
  await oursReal.prepare(signal)
  await fill(oursReal, real.slice(queryCount).map(objectOf), signal)
  const realQueries = real.slice(0, queryCount).map(({ vector }) => vector)
  const recallReal = await recallOf(oursReal, real.slice(queryCount), realQueries, signal)

  return {
    ratio: rounded(rates.ours / rates.theirs, 2),
    recallAt10: rounded(recall, 4),
    recallAt10Real: rounded(recallReal, 4),
    oursPerSecond: rounded(rates.ours, 0),
    defaultPerSecond: rounded(rates.theirs, 0),
    objects: objectCount,
    dimensions,
    realObjects: realObjectCount,
    realDimensions,
    queries: queryCount
  }
}

/** The same properties; every setting left to Weaviate. */
async function createByDefault(url: string, name: string): Promise<void> {
  const text = ['docId', 'sourceId', 'paymentKey', 'title', 'text', 'metadata']
  const integers = ['version', 'generation', 'chunk', 'chunks']
  const properties = [
    ...text.map(property => ({ name: property, dataType: ['text'] })),
    ...integers.map(property => ({ name: property, dataType: ['int'] }))
  ]
  const response = await fetch(`${url}/v1/schema`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ class: name, vectorizer: 'none', properties })
  })
  if (!response.ok) throw new Error(`no default collection: ${response.status} ${await response.text()}`)
}

/** @returns objects per second of each. */
async function fillInTurns(
  stores: Readonly<Record<'ours' | 'theirs', VectorStore>>,
  objects: readonly IndexObject[],
  say: (line: string) => void,
  signal: AbortSignal
): Promise<Record<'ours' | 'theirs', number>> {
  const spentMs = { ours: 0, theirs: 0 }
  for (let start = 0; start < objects.length; start += sliceObjects) {
    const slice = objects.slice(start, start + sliceObjects)
    const order =
      (start / sliceObjects) % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const)
    for (const name of order) spentMs[name] += await fill(stores[name], slice, signal)
    const rate = (ms: number): string => `${Math.round(((start + slice.length) / ms) * 1_000)}/s`
    say(`${start + slice.length} objects: ours ${rate(spentMs.ours)}, default ${rate(spentMs.theirs)}`)
  }
  const perSecond = (ms: number): number => (objects.length / ms) * 1_000
  return { ours: perSecond(spentMs.ours), theirs: perSecond(spentMs.theirs) }
}

/** @returns milliseconds until the last acknowledgement. */
async function fill(
  store: VectorStore,
  objects: readonly IndexObject[],
  signal: AbortSignal
): Promise<number> {
  const startedMs = performance.now()
  const starts = Array.from(
    { length: Math.ceil(objects.length / callObjects) },
    (_, call) => call * callObjects
  )
  const queue = starts.values()
  const writer = async (): Promise<void> => {
    for (const start of queue) {
      const outcomes = await store.write(objects.slice(start, start + callObjects), signal)
      const lost = outcomes.find(({ kind }) => kind !== 'stored')
      if (lost !== undefined) throw new Error(`an object was not stored: ${JSON.stringify(lost)}`)
    }
  }
  await Promise.all(Array.from({ length: callsInFlight }, writer))
  return performance.now() - startedMs
}

async function recallOf(
  store: VectorStore,
  items: readonly Item[],
  queries: readonly Float32Array[],
  signal: AbortSignal
): Promise<number> {
  const vectors = items.map(({ vector }) => vector)
  let found = 0
  for (const query of queries) {
    const hits = await store.search(bytesOf(query), neighbours, signal)
    const ids = new Set<ObjectId>(hits.map(({ id }) => id))
    const truth = nearestByBruteForce(query, vectors, neighbours)
    found += truth.filter(index => ids.has(idOf(index))).length
  }
  return found / (queries.length * neighbours)
}

async function realItems(minilmFolder: string, signal: AbortSignal): Promise<readonly Item[]> {
  const texts = await markdownChunks('node_modules', realObjectCount + queryCount)
  await using provider = await startLocalOpenai({ vectors: { kind: 'minilm', folder: minilmFolder } })
  const embedder = openOpenai({
    OPENAI_API_KEY: 'local',
    OPENAI_BASE_URL: provider.url,
    EMBEDDING_MODEL: 'all-minilm-l6-v2',
    EMBEDDING_DIMENSIONS: 384
  })
  const items: Item[] = []
  for (let start = 0; start < texts.length; start += textsPerRequest) {
    const slice = texts.slice(start, start + textsPerRequest)
    const { vectors } = await embedder.embed(slice, signal)
    for (const [index, bytes] of vectors.entries()) {
      items.push({ text: slice[index] ?? '', vector: new Float32Array(new Uint8Array(bytes).buffer) })
    }
  }
  return items
}

function objectOf({ text, vector }: Item, index: number): IndexObject {
  const name = `bench-${index}`
  return {
    id: idOf(index),
    vector: bytesOf(vector),
    properties: {
      docId: name,
      sourceId: name,
      version: 1,
      generation: 1,
      paymentKey: docKey(text),
      chunk: 0,
      chunks: 1,
      title: name,
      text,
      metadata: '{"collection":"bench"}'
    }
  }
}

function idOf(index: number): ObjectId {
  return objectId(`bench-${index}`, docKey('bench'), 1)
}

function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
}
