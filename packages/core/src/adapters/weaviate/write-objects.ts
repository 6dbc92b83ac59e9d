// Writing with a truthful answer per object. Weaviate acknowledges a call as a whole, reports errors by index, and may
// apply any part of a call that it did not answer. Invariants, each with a test in
// test/integration/weaviate-doubt.test.ts or weaviate-stub.test.ts:
//
//   W1  `stored` is said only of what a call acknowledged without any error, or of what was read back and found.
//   W2  A call with any error acknowledges nothing: everything in it is read back.
//   W3  Stored is not found: a call that was cut off leaves objects that no search finds, and a crash of Weaviate may
//       keep an object and lose its entry in any index. Writing the same again skips the indexes, so it heals nothing.
//       Therefore an object is in doubt from the send until W1 holds; a doubted one that is written again is indexed
//       anew, and one that is only looked up is when its id, its document or its vector does not find it.
//   W4  To index anew is to write the object with one bit of its vector changed, then as it is. Unlike delete and
//       insert, no crash in between loses it. It leaves tombstones, so it is not done for nothing.
//   W5  One look is not enough: in a graph that a crash damaged, indexing some anew was seen to put others out of reach,
//       also such as were found before. Of 1,500 objects, 87 were left by one look, 16 by the next, 2 by the third.
//       So all are looked at again until a look finds nothing to heal.
//   W6  A look at what was in doubt is not enough either. HNSW links from the top layer down; an insertion that is cut off
//       between two layers leaves an object that the upper one leads to and the lowest does not know (1 in 16 reach
//       an upper layer). It finds itself, but what others insert near it, acknowledged, is linked to it alone, and is out
//       of reach as soon as the upper layer leads elsewhere: seen with 6 of 1,000 objects, 2 of them not in doubt. Nobody
//       but a walk through all objects notices: that of the sweeper.
import { Failure } from '../../domain/failure.ts'
import type { ObjectId } from '../../domain/identity.ts'
import { vectorFault } from '../../domain/vector-bytes.ts'
import type { IndexObject, WriteOutcome } from '../../ports/vector-store.ts'
import type { WeaviateControl } from './control-plane.ts'
import type { WeaviateGrpc } from './grpc-api.ts'

export interface Deadlines {
  /** Of one insert or deletion. Generous: cutting off a slow call is what leaves objects without index entries. */
  readonly writeDeadlineMs: number
  /** Of one query. */
  readonly queryDeadlineMs: number
}

const maxObjects = 500
/** Vectors held at once while reading back. */
const confirmChunk = 100
const queryConcurrency = 8
const indexRounds = 2
/** Far more than were ever needed: the graph may also be beyond healing. */
const maxLooks = 8
const selfQueryLimits = [10, 1_000]
const equalDistance = 1e-4

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The shard or the server refuses for the moment; Weaviate has no codes for it. */
const refusedForNow =
  /read-?only|not enough memory|no space left|disk usage|memory usage|not found in schema|could not find (class|index)|shut(ting)? ?down|not ready|still loading/i
/** The server gave up half-way. */
const cutOff =
  /context canceled|deadline exceeded|timeout|timed out|unavailable|connection|unexpected error|EOF/i

export class ObjectWriter {
  readonly #grpc: WeaviateGrpc
  readonly #control: WeaviateControl
  readonly #dimensions: number
  readonly #deadlines: Deadlines
  /** Sent and not yet known to be both stored and searchable; as small as what callers have not settled. */
  readonly #doubted = new Set<ObjectId>()

  constructor(grpc: WeaviateGrpc, control: WeaviateControl, dimensions: number, deadlines: Deadlines) {
    this.#grpc = grpc
    this.#control = control
    this.#dimensions = dimensions
    this.#deadlines = deadlines
  }

  async write(objects: readonly IndexObject[], signal: AbortSignal): Promise<readonly WriteOutcome[]> {
    refuseMalformedCall(objects)
    const faults = objects.map(object => objectFault(object, this.#dimensions))
    const sound = objects.filter((_, index) => faults[index] === undefined)
    const outcomes = sound.length === 0 ? [] : await this.#send(sound, signal)

    const answers = outcomes.values()
    return faults.map(reason => {
      if (reason !== undefined) return { kind: 'rejected', reason }
      return answers.next().value ?? { kind: 'unknown', reason: 'no answer' }
    })
  }

  /** Which of these are stored. What no search would find is indexed anew first (W3, W5). */
  async confirm(ids: readonly ObjectId[], signal: AbortSignal): Promise<ReadonlySet<ObjectId>> {
    let look = await this.#look(ids, signal)
    for (let looks = 1; look.healed > 0 && looks < maxLooks; looks += 1) look = await this.#look(ids, signal)
    for (const id of look.stored) this.#doubted.delete(id)
    return look.stored
  }

  async #look(
    ids: readonly ObjectId[],
    signal: AbortSignal
  ): Promise<{ readonly stored: ReadonlySet<ObjectId>; readonly healed: number }> {
    const stored = new Set<ObjectId>()
    let healed = 0
    for (let start = 0; start < ids.length; start += confirmChunk) {
      const chunk = ids.slice(start, start + confirmChunk)
      const { known, hidden } = await this.#lookUp(chunk, signal)
      const unfound = [...hidden, ...(await this.#unfindable(known, signal))]
      await this.#indexAnew(unfound, signal)
      for (const { id } of [...known, ...hidden]) stored.add(id)
      healed += unfound.length
    }
    return { stored, healed }
  }

  /** `hidden` are stored but missing from the index of ids. */
  async #lookUp(
    ids: readonly ObjectId[],
    signal: AbortSignal
  ): Promise<Record<'known' | 'hidden', readonly IndexObject[]>> {
    const { queryDeadlineMs } = this.#deadlines
    const known = await this.#grpc.objects(ids, queryDeadlineMs, signal)
    const knownIds = new Set(known.map(({ id }) => id))
    const others = ids.filter(id => !knownIds.has(id))
    const hidden = await mapConcurrently(others, async id =>
      (await this.#control.exists(id, signal))
        ? await this.#grpc.find(id, queryDeadlineMs, signal)
        : undefined
    )
    return { known, hidden: hidden.filter(object => object !== undefined) }
  }

  async #unfindable(objects: readonly IndexObject[], signal: AbortSignal): Promise<readonly IndexObject[]> {
    if (objects.length === 0) return []
    const docIds = [...new Set(objects.map(({ properties }) => properties.docId))]
    const heads = await this.#grpc.heads(docIds, [], this.#deadlines.queryDeadlineMs, signal)
    const named = new Set(heads.map(({ id }) => id))
    const nameless = objects.filter(({ id }) => !named.has(id))
    const unsearchable = await this.#unsearchable(
      objects.filter(({ id }) => named.has(id)),
      signal
    )
    return [...nameless, ...unsearchable]
  }

  async #send(objects: readonly IndexObject[], signal: AbortSignal): Promise<readonly WriteOutcome[]> {
    const doubtedBefore = objects.filter(({ id }) => this.#doubted.has(id))
    for (const { id } of objects) this.#doubted.add(id)
    const insert = this.#grpc.insert(objects, this.#deadlines.writeDeadlineMs, signal)
    const errors = await insert.catch((error: unknown) => error)
    signal.throwIfAborted()
    if (!(errors instanceof Map)) return await this.#readBack(objects, new Map(), String(errors), signal)
    if (errors.size > 0) return await this.#readBack(objects, errors, 'not acknowledged', signal)

    await this.#indexAnew(doubtedBefore, signal)
    for (const { id } of objects) this.#doubted.delete(id)
    return objects.map(() => ({ kind: 'stored' }))
  }

  /** @param errors - by index into `objects`. */
  async #readBack(
    objects: readonly IndexObject[],
    errors: ReadonlyMap<number, string>,
    doubt: string,
    signal: AbortSignal
  ): Promise<readonly WriteOutcome[]> {
    const refusal = errors.values().find(message => refusedForNow.test(message))
    if (refusal !== undefined) throw new Failure('STORE_UNAVAILABLE', `Weaviate refuses to write: ${refusal}`)

    const ids = objects.map(({ id }) => id)
    const stored = await this.confirm(ids, signal)
    return objects.map(({ id }, index) => {
      if (stored.has(id)) return { kind: 'stored' }
      const reason = errors.get(index)
      if (reason === undefined || cutOff.test(reason)) return { kind: 'unknown', reason: reason ?? doubt }
      this.#doubted.delete(id)
      return { kind: 'rejected', reason }
    })
  }

  /**
   * Twice when it must be: the rest of a call that was cut off may still run in the server and come in between. Then
   * the search is believed no more: it may miss one of many equal vectors.
   */
  async #indexAnew(objects: readonly IndexObject[], signal: AbortSignal): Promise<void> {
    let missing = objects
    for (let round = 0; round < indexRounds && missing.length > 0; round += 1) {
      for (const version of [missing.map(withOtherVector), missing]) {
        const errors = await this.#grpc.insert(version, this.#deadlines.writeDeadlineMs, signal)
        const [error] = errors.values()
        if (error !== undefined)
          throw new Failure('STORE_UNAVAILABLE', `Weaviate did not index again: ${error}`)
      }
      missing = await this.#unsearchable(missing, signal)
    }
    for (const { id } of objects) this.#doubted.delete(id)
  }

  async #unsearchable(objects: readonly IndexObject[], signal: AbortSignal): Promise<readonly IndexObject[]> {
    const found = await mapConcurrently(objects, object => this.#isSearchable(object, signal))
    return objects.filter((_, index) => found[index] === false)
  }

  /** Documents of equal text share their vector: the one looked for may come after many. */
  async #isSearchable({ id, vector }: IndexObject, signal: AbortSignal): Promise<boolean> {
    for (const limit of selfQueryLimits) {
      const hits = await this.#grpc.neighbours(vector, limit, this.#deadlines.queryDeadlineMs, signal)
      if (hits.some(([hit]) => hit === id)) return true
      const [, furthest = 1] = hits.at(-1) ?? []
      if (hits.length < limit || furthest > equalDistance) return false
    }
    return false
  }
}

async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Result>
): Promise<readonly Result[]> {
  const results: Result[] = []
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await ask(item)
  }
  await Promise.all(Array.from({ length: queryConcurrency }, worker))
  return results
}

function refuseMalformedCall(objects: readonly IndexObject[]): void {
  if (objects.length > maxObjects) {
    throw new Failure('STORE_REJECTED', `${objects.length} objects: a write takes at most ${maxObjects}`)
  }
  if (new Set(objects.map(({ id }) => id)).size !== objects.length) {
    throw new Failure('STORE_REJECTED', 'the ids of one write must differ')
  }
}

/** What would make Weaviate refuse this object, or the whole call because of it. */
function objectFault({ id, vector, properties }: IndexObject, dimensions: number): string | undefined {
  if (!uuid.test(id)) return `the id is not a UUID in lower case: ${id}`
  const wrong = vectorFault(vector, dimensions)
  if (wrong !== undefined) return `the vector ${wrong}`
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'string' && !value.isWellFormed()) return `${name} is not well-formed Unicode`
    if (typeof value === 'number' && !Number.isSafeInteger(value))
      return `${name} is not an integer: ${value}`
  }
  return undefined
}

/** The lowest bit of the first component changed: too little to matter, enough to make Weaviate index it anew. */
function withOtherVector(object: IndexObject): IndexObject {
  const vector = Uint8Array.from(object.vector)
  vector[0] = (vector[0] ?? 0) ^ 1
  return { ...object, vector }
}
