import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '../../domain/failure.ts'
import type { Digest, ObjectId } from '../../domain/identity.ts'
import { vectorFault } from '../../domain/vector-bytes.ts'
import type { VectorBytes } from '../../ports/embedder.ts'
import type {
  Hit,
  IndexObject,
  ObjectHead,
  Removal,
  VectorStore,
  WriteOutcome
} from '../../ports/vector-store.ts'
import type { WeaviateSettings } from '../../runtime/settings.ts'
import { collectionSchema, schemaDifferences } from './collection-schema.ts'
import { WeaviateControl } from './control-plane.ts'
import { maxResults, WeaviateGrpc } from './grpc-api.ts'
import { type Deadlines, ObjectWriter } from './write-objects.ts'
import { messageOf } from '../../runtime/message-of.ts'

/** Ids or keys in one filter. */
const filterValues = 1_000
/** Whole vectors in one answer. */
const vectorsPerAnswer = 1_000

/** Between looks at a collection that is being made: that takes Weaviate some ten milliseconds. */
const makingPauseMs = 25
/** A query for a collection that a node knows by its schema alone, or not yet. */
const notMadeYet = /non-existing index|could not find (class|index)|not found in schema/i

const defaultDeadlines: Deadlines = { writeDeadlineMs: 60_000, queryDeadlineMs: 20_000 }

/**
 * An index in Weaviate. Opens without a server, so that a service can start before it: `check` and `prepare` say
 * whether it is there.
 * @param collection - starts with a capital letter; see `namesOf`.
 */
export function openWeaviate(
  settings: WeaviateSettings,
  collection: string,
  dimensions: number,
  deadlines: Partial<Deadlines> = {}
): VectorStore & AsyncDisposable {
  return new WeaviateVectorStore(settings, collection, dimensions, { ...defaultDeadlines, ...deadlines })
}

class WeaviateVectorStore implements VectorStore, AsyncDisposable {
  readonly dimensions: number
  readonly #settings: WeaviateSettings
  readonly #collection: string
  readonly #queryMs: number
  readonly #writeMs: number
  readonly #control: WeaviateControl
  readonly #grpc: WeaviateGrpc
  readonly #writer: ObjectWriter

  constructor(settings: WeaviateSettings, collection: string, dimensions: number, deadlines: Deadlines) {
    const endpoint = { url: settings.WEAVIATE_GRPC_URL, apiKey: settings.WEAVIATE_API_KEY, collection }
    this.dimensions = dimensions
    this.#settings = settings
    this.#collection = collection
    this.#queryMs = deadlines.queryDeadlineMs
    this.#writeMs = deadlines.writeDeadlineMs
    this.#control = new WeaviateControl(settings, collection, deadlines.queryDeadlineMs)
    this.#grpc = new WeaviateGrpc(endpoint)
    this.#writer = new ObjectWriter(this.#grpc, this.#control, dimensions, deadlines)
  }

  async prepare(signal: AbortSignal): Promise<void> {
    const wanted = collectionSchema(this.#collection, this.#settings)
    const differences = await this.#ask('prepare the collection', signal, async () => {
      const present = await this.#control.schema(signal)
      const isOurs = present === undefined && (await this.#control.create(wanted, signal))
      const vector = await this.#vectorOnceMade(signal)
      if (isOurs) return []
      const schema = present ?? (await this.#control.schema(signal))
      return [...schemaDifferences(schema, this.#settings), ...this.#dimensionDifferences(vector)]
    })
    if (differences.length === 0) return
    const list = differences.map(difference => `  ${difference}`).join('\n')
    throw new Failure(
      'COLLECTION_MISMATCH',
      `the Weaviate collection ${this.#collection} exists and differs; change the settings to what it is, or use ` +
        `another namespace\n${list}`
    )
  }

  async check(signal: AbortSignal): Promise<void> {
    const shards = await this.#ask('answer', signal, async () => {
      const [found] = await Promise.all([
        this.#control.shards(signal),
        this.#grpc.page(undefined, 1, this.#queryMs, signal)
      ])
      return found
    })
    const unfit = shards.filter(({ status }) => status === 'READONLY')
    if (unfit.length === 0) return
    const names = unfit.map(({ name }) => name).join(', ')
    throw new Failure(
      'STORE_UNAVAILABLE',
      `${this.#collection}: shard ${names} is READONLY; Weaviate makes shards so when its disk or memory is nearly full`
    )
  }

  async write(objects: readonly IndexObject[], signal: AbortSignal): Promise<readonly WriteOutcome[]> {
    return await this.#ask('write', signal, () => this.#writer.write(objects, signal))
  }

  async existing(ids: readonly ObjectId[], signal: AbortSignal): Promise<ReadonlySet<ObjectId>> {
    return await this.#ask('look up ids', signal, () => this.#writer.confirm(ids, signal))
  }

  async vectors(keys: readonly Digest[], signal: AbortSignal): Promise<ReadonlyMap<Digest, VectorBytes>> {
    return await this.#ask('read vectors', signal, async () => {
      const found = new Map<Digest, VectorBytes>()
      for (const chunk of chunks([...new Set(keys)], filterValues))
        await this.#collectVectors(chunk, found, signal)
      return found
    })
  }

  async remove(ids: readonly ObjectId[], signal: AbortSignal): Promise<void> {
    await this.#ask('remove objects', signal, async () => {
      for (const chunk of chunks(ids, filterValues)) {
        const { failed } = await this.#grpc.remove(chunk, this.#writeMs, signal)
        if (failed > 0) throw new Error(`${failed} of ${chunk.length} could not be removed`)
      }
    })
  }

  async removeGenerations(removals: readonly Removal[], signal: AbortSignal): Promise<void> {
    const byDocument = Map.groupBy(removals, ({ docId }) => docId)
    const heads = await this.heads([...byDocument.keys()], signal)
    const superseded = heads.filter(({ id, docId, generation }) =>
      byDocument.get(docId)?.some(({ maxGeneration, keep }) => generation <= maxGeneration && id !== keep)
    )
    await this.remove(
      superseded.map(({ id }) => id),
      signal
    )
  }

  async page(
    after: ObjectId | undefined,
    limit: number,
    signal: AbortSignal
  ): Promise<readonly ObjectHead[]> {
    const within = Math.min(limit, maxResults)
    return await this.#ask('list objects', signal, () =>
      this.#grpc.page(after, within, this.#queryMs, signal)
    )
  }

  async heads(docIds: readonly string[], signal: AbortSignal): Promise<readonly ObjectHead[]> {
    return await this.#ask('look up documents', signal, async () => {
      const found: ObjectHead[] = []
      for (const chunk of chunks(docIds, filterValues)) found.push(...(await this.#headsOf(chunk, signal)))
      return found
    })
  }

  async count(signal: AbortSignal): Promise<number> {
    return await this.#ask('count', signal, () => this.#grpc.count(this.#queryMs, signal))
  }

  async unindexed(signal: AbortSignal): Promise<number> {
    return await this.#ask('tell its queue', signal, () => this.#control.queueLength(signal))
  }

  async search(vector: VectorBytes, limit: number, signal: AbortSignal): Promise<readonly Hit[]> {
    const wrong = vectorFault(vector, this.dimensions)
    if (wrong !== undefined) throw new Failure('STORE_REJECTED', `the vector to search for ${wrong}`)
    const hits = await this.#ask('search', signal, () =>
      this.#grpc.nearest(vector, limit, this.#queryMs, signal)
    )
    // Weaviate has been seen to answer the same id twice (weaviate/weaviate#4511).
    return [...new Map(hits.map(hit => [hit.id, hit])).values()]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#grpc[Symbol.dispose]()
    await this.#control[Symbol.asyncDispose]()
  }

  /**
   * Any stored vector, asked for until the collection can be asked at all: Weaviate shows a class to everybody before
   * its shards are made, and in a cluster each node makes them in its own time.
   */
  async #vectorOnceMade(signal: AbortSignal): Promise<VectorBytes | undefined> {
    const untilMs = performance.now() + this.#queryMs
    for (;;) {
      try {
        return await this.#grpc.anyVector(this.#queryMs, signal)
      } catch (error) {
        if (!notMadeYet.test(messageOf(error)) || performance.now() > untilMs) throw error
      }
      await delay(makingPauseMs, undefined, { signal })
    }
  }

  /** The schema does not tell the dimensions; any stored object does. */
  #dimensionDifferences(vector: VectorBytes | undefined): readonly string[] {
    const dimensions = vector === undefined ? this.dimensions : vector.byteLength / 4
    if (dimensions === this.dimensions) return []
    return [`EMBEDDING_DIMENSIONS: is ${dimensions}, wanted ${this.dimensions}`]
  }

  /** Asks again for the keys not found while answers are full: many objects may share one key. */
  async #collectVectors(
    keys: readonly Digest[],
    found: Map<Digest, VectorBytes>,
    signal: AbortSignal
  ): Promise<void> {
    let wanted = keys
    while (wanted.length > 0) {
      const pairs = await this.#grpc.vectors(wanted, vectorsPerAnswer, this.#queryMs, signal)
      for (const [key, vector] of pairs) found.set(key, vector)
      if (pairs.length < vectorsPerAnswer) return
      wanted = wanted.filter(key => !found.has(key))
    }
  }

  async #headsOf(docIds: readonly string[], signal: AbortSignal): Promise<readonly ObjectHead[]> {
    const found: ObjectHead[] = []
    for (;;) {
      const seen = found.map(({ id }) => id)
      const more = await this.#grpc.heads(docIds, seen, this.#queryMs, signal)
      found.push(...more)
      if (more.length < maxResults) return found
    }
  }

  async #ask<Answer>(what: string, signal: AbortSignal, ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask()
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof Failure) throw error
      const why = messageOf(error)
      throw new Failure('STORE_UNAVAILABLE', `Weaviate did not ${what}: ${why}`, { cause: error })
    }
  }
}

function chunks<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size)
  )
}
