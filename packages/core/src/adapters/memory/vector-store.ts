// The index in memory: what every VectorStore must do, without a server. Faults are scripted: `fail` queues one per
// write, `setDown` makes every method fail, `reject` marks documents.
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

const maxObjects = 500

/**
 * - `refused`        `STORE_UNAVAILABLE` and nothing is stored.
 * - `lost-answer`    `STORE_UNAVAILABLE` and everything is stored.
 * - `unknown-stored` every outcome is `unknown` and everything is stored.
 * - `unknown-absent` every outcome is `unknown` and nothing is stored.
 */
export type WriteFault = 'refused' | 'lost-answer' | 'unknown-stored' | 'unknown-absent'

export class MemoryVectorStore implements VectorStore {
  readonly dimensions: number
  readonly #objects = new Map<ObjectId, IndexObject>()
  readonly #faults: WriteFault[] = []
  readonly #rejected = new Set<string>()
  #down = false
  #prepared = false

  constructor(dimensions = 8) {
    this.dimensions = dimensions
  }

  /** What is stored, for assertions. */
  get objects(): ReadonlyMap<ObjectId, IndexObject> {
    return this.#objects
  }

  /** The next writes take one fault each, in this order. */
  fail(...faults: readonly WriteFault[]): void {
    this.#faults.push(...faults)
  }

  /** While down, every method throws `STORE_UNAVAILABLE`. */
  setDown(down: boolean): void {
    this.#down = down
  }

  /** From now on objects of these documents are rejected. */
  reject(...docIds: readonly string[]): void {
    for (const docId of docIds) this.#rejected.add(docId)
  }

  async prepare(signal: AbortSignal): Promise<void> {
    await this.#reach(signal)
    this.#prepared = true
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#reach(signal)
    if (!this.#prepared) throw new Failure('STORE_UNAVAILABLE', 'the collection does not exist')
  }

  async write(objects: readonly IndexObject[], signal: AbortSignal): Promise<readonly WriteOutcome[]> {
    await this.#reach(signal)
    refuseMalformedCall(objects)
    const fault = this.#faults.shift()
    if (fault === 'refused') throw new Failure('STORE_UNAVAILABLE', 'the store is read-only')

    const outcomes = objects.map(object => this.#store(object, fault))
    if (fault === 'lost-answer') throw new Failure('STORE_UNAVAILABLE', "the store's answer was lost")
    return outcomes
  }

  async existing(ids: readonly ObjectId[], signal: AbortSignal): Promise<ReadonlySet<ObjectId>> {
    await this.#reach(signal)
    return new Set(ids.filter(id => this.#objects.has(id)))
  }

  async vectors(keys: readonly Digest[], signal: AbortSignal): Promise<ReadonlyMap<Digest, VectorBytes>> {
    await this.#reach(signal)
    const wanted = new Set(keys)
    const found = new Map<Digest, VectorBytes>()
    for (const { properties, vector } of this.#objects.values()) {
      if (wanted.has(properties.paymentKey)) found.set(properties.paymentKey, vector)
    }
    return found
  }

  async remove(ids: readonly ObjectId[], signal: AbortSignal): Promise<void> {
    await this.#reach(signal)
    for (const id of ids) this.#objects.delete(id)
  }

  async removeGenerations(removals: readonly Removal[], signal: AbortSignal): Promise<void> {
    await this.#reach(signal)
    for (const { docId, maxGeneration, keep } of removals) {
      for (const [id, { properties }] of this.#objects) {
        if (properties.docId !== docId || properties.generation > maxGeneration || id === keep) continue
        this.#objects.delete(id)
      }
    }
  }

  async page(
    after: ObjectId | undefined,
    limit: number,
    signal: AbortSignal
  ): Promise<readonly ObjectHead[]> {
    await this.#reach(signal)
    return [...this.#objects.values()]
      .filter(({ id }) => after === undefined || id > after)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit)
      .map(headOf)
  }

  async heads(docIds: readonly string[], signal: AbortSignal): Promise<readonly ObjectHead[]> {
    await this.#reach(signal)
    const wanted = new Set(docIds)
    return [...this.#objects.values()].filter(({ properties }) => wanted.has(properties.docId)).map(headOf)
  }

  async count(signal: AbortSignal): Promise<number> {
    await this.#reach(signal)
    return this.#objects.size
  }

  async unindexed(signal: AbortSignal): Promise<number> {
    await this.#reach(signal)
    return 0
  }

  async search(vector: VectorBytes, limit: number, signal: AbortSignal): Promise<readonly Hit[]> {
    await this.#reach(signal)
    const wanted = components(vector)
    return [...this.#objects.values()]
      .map(object => ({
        ...object.properties,
        id: object.id,
        score: cosine(wanted, components(object.vector))
      }))
      .sort((a, b) => b.score - a.score)
      .slice(0, limit)
  }

  #store(object: IndexObject, fault: WriteFault | undefined): WriteOutcome {
    const wrong = vectorFault(object.vector, this.dimensions)
    if (wrong !== undefined) return { kind: 'rejected', reason: `the vector ${wrong}` }
    if (this.#rejected.has(object.properties.docId)) {
      return { kind: 'rejected', reason: 'the store refuses this document' }
    }
    if (fault !== 'unknown-absent')
      this.#objects.set(object.id, { ...object, vector: new Uint8Array(object.vector) })
    const unknown = fault === 'unknown-absent' || fault === 'unknown-stored'
    return unknown ? { kind: 'unknown', reason: 'the answer was lost' } : { kind: 'stored' }
  }

  async #reach(signal: AbortSignal): Promise<void> {
    await Promise.resolve()
    signal.throwIfAborted()
    if (this.#down) throw new Failure('STORE_UNAVAILABLE', 'the store does not answer')
  }
}

function refuseMalformedCall(objects: readonly IndexObject[]): void {
  if (objects.length > maxObjects) {
    throw new Failure('STORE_REJECTED', `${objects.length} objects: a write takes at most ${maxObjects}`)
  }
  if (new Set(objects.map(({ id }) => id)).size !== objects.length) {
    throw new Failure('STORE_REJECTED', 'the ids of one write must differ')
  }
}

function headOf({ id, properties }: IndexObject): ObjectHead {
  const { docId, sourceId, version, generation, paymentKey } = properties
  return { id, docId, sourceId, version, generation, paymentKey }
}

function components(bytes: VectorBytes): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer)
}

function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0
  for (const [index, component] of a.entries()) dot += component * (b[index] ?? 0)
  return dot / (Math.hypot(...a) * Math.hypot(...b))
}
