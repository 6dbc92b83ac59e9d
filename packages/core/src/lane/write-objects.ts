// Writes objects until the index says of each whether it is stored: with the vector at hand a repeat costs nothing.
import type { Digest } from '../domain/identity.ts'
import type { VectorBytes } from '../ports/embedder.ts'
import type { IndexObject, ObjectProperties, VectorStore } from '../ports/vector-store.ts'
import type { Gate } from '../runtime/gate.ts'
import type { Slots } from './slots.ts'
import type { ContentItem } from './work.ts'

/** Objects of one call. */
const objectsPerCall = 256

export interface WriteDeps {
  readonly store: VectorStore
  readonly gate: Gate
  /** Calls in flight, over all obligations: more of them only make each slower and hold its bytes for longer. */
  readonly writes: Slots
  /** Ends a call that is running. */
  readonly writing: AbortSignal
}

export interface Written {
  readonly stored: readonly ContentItem[]
  /** Objects that can never be stored, with the reason. */
  readonly rejected: ReadonlyMap<ContentItem, string>
}

function propertiesOf({ content, logged, part }: ContentItem): ObjectProperties {
  const { chunk, chunks, docId, metadata, sourceId, text, title, version } = logged.document
  const identity = { docId, sourceId, version, generation: part.generation, paymentKey: content }
  return { ...identity, chunk, chunks, title, text, metadata }
}

/**
 * @param vectors - holds the content of every item.
 * @param signal - begins no further call.
 */
export async function writeObjects(
  items: readonly ContentItem[],
  vectors: ReadonlyMap<Digest, VectorBytes>,
  { gate, store, writes, writing }: WriteDeps,
  signal: AbortSignal
): Promise<Written> {
  const stored: ContentItem[] = []
  const rejected = new Map<ContentItem, string>()
  let waiting = items.flatMap(item => withVector(item, vectors) ?? [])
  while (waiting.length > 0) {
    const chunk = waiting.slice(0, objectsPerCall)
    const objects = chunk.map(({ object }) => object)
    const outcomes = await writes.use(() => gate.run(() => store.write(objects, writing), signal), signal)
    const unknown = chunk.filter(({ item }, index) => {
      const outcome = outcomes[index]
      if (outcome?.kind === 'stored') stored.push(item)
      else if (outcome?.kind === 'rejected') rejected.set(item, outcome.reason)
      else return true
      return false
    })
    if (unknown.length > 0) gate.close(`the outcome of ${unknown.length} writes is unknown`)
    waiting = [...unknown, ...waiting.slice(objectsPerCall)]
  }
  return { stored, rejected }
}

interface Pending {
  readonly item: ContentItem
  readonly object: IndexObject
}

function withVector(item: ContentItem, vectors: ReadonlyMap<Digest, VectorBytes>): Pending | undefined {
  const vector = vectors.get(item.content)
  return vector && { item, object: { id: item.id, vector, properties: propertiesOf(item) } }
}
