import type { Digest, ObjectId } from '../domain/identity.ts'
import type { VectorBytes } from './embedder.ts'

export interface ObjectProperties {
  readonly docId: string
  readonly sourceId: string
  readonly version: number
  /** Orders the contents of one document; see `Part.generation`. */
  readonly generation: number
  readonly paymentKey: Digest
  readonly chunk: number
  readonly chunks: number
  readonly title: string
  readonly text: string
  readonly metadata: string
}

export interface IndexObject {
  readonly id: ObjectId
  readonly vector: VectorBytes
  readonly properties: ObjectProperties
}

/**
 * - `stored`   acknowledged.
 * - `rejected` surely not stored; this object can never be.
 * - `unknown`  may or may not be stored; read it back by id.
 */
export type WriteOutcome =
  | { readonly kind: 'stored' }
  | { readonly kind: 'rejected'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string }

/** An object without its text and vector: what an audit compares. */
export interface ObjectHead {
  readonly id: ObjectId
  readonly docId: string
  readonly sourceId: string
  readonly version: number
  readonly generation: number
  readonly paymentKey: Digest
}

export interface Hit extends ObjectProperties {
  readonly id: ObjectId
  /** Cosine similarity, -1 to 1. */
  readonly score: number
}

/** Remove all objects of a document up to and including a generation, but for `keep`. */
export interface Removal {
  readonly docId: string
  readonly maxGeneration: number
  readonly keep?: ObjectId
}

/**
 * The index. No conditional writes: ids per content generation make late and repeated writes harmless.
 * Implementations: `adapters/weaviate` and `adapters/memory`; each passes `test/contract/vector-store.ts`.
 *
 * Every method throws `Failure` `STORE_UNAVAILABLE` (retry; the outcome is unknown) when the store does not answer
 * or refuses for the moment (read-only shard, memory or disk pressure), within its own deadline.
 */
export interface VectorStore {
  readonly dimensions: number

  /**
   * Creates the collection when it is absent and compares an existing one with what is wanted.
   * @throws {Failure} `COLLECTION_MISMATCH` when it exists with other dimensions or properties, naming them.
   */
  prepare(signal: AbortSignal): Promise<void>

  /** Resolves when a write could succeed now (reachable, collection there, no shard read-only). */
  check(signal: AbortSignal): Promise<void>

  /** One outcome per object, in order. Ids must differ. An existing id is overwritten. At most 500 objects. */
  write(objects: readonly IndexObject[], signal: AbortSignal): Promise<readonly WriteOutcome[]>

  /**
   * Which of these ids are stored: for writes that nobody saw through. What a write that was cut off has left stored
   * and unsearchable is made searchable first, so it costs a write for each that is found.
   */
  existing(ids: readonly ObjectId[], signal: AbortSignal): Promise<ReadonlySet<ObjectId>>

  /** A vector of any object with each payment key; keys without an object are missing from the answer. */
  vectors(keys: readonly Digest[], signal: AbortSignal): Promise<ReadonlyMap<Digest, VectorBytes>>

  /** Idempotent. */
  remove(ids: readonly ObjectId[], signal: AbortSignal): Promise<void>

  /** Idempotent; repeated inside until nothing matches. */
  removeGenerations(removals: readonly Removal[], signal: AbortSignal): Promise<void>

  /** Heads in ascending order of id, after `after`; at most `limit`. An empty page ends the walk. */
  page(after: ObjectId | undefined, limit: number, signal: AbortSignal): Promise<readonly ObjectHead[]>

  /** All objects of these documents. */
  heads(docIds: readonly string[], signal: AbortSignal): Promise<readonly ObjectHead[]>

  count(signal: AbortSignal): Promise<number>

  /** Vectors that are stored and not searchable yet. */
  unindexed(signal: AbortSignal): Promise<number>

  /** Nearest objects, best first. */
  search(vector: VectorBytes, limit: number, signal: AbortSignal): Promise<readonly Hit[]>
}
