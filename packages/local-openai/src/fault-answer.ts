import type { EmbeddingsRequest } from './embeddings-request.ts'
import type { FaultRule } from './fault-rules.ts'
import type { Vectors } from './vector-source.ts'

interface Item {
  readonly object: 'embedding'
  readonly index?: number
  readonly embedding: string | readonly number[]
}

/** The body of a paid answer that is wrong in the way of `fault`; a right one for faults of other sorts. */
export function composeWrongAnswer(request: EmbeddingsRequest, vectors: Vectors, fault: FaultRule): Buffer {
  const encoding = fault.kind === 'floats_despite_base64' ? 'float' : request.encoding
  const items = vectorsOf(request, vectors, fault).map(
    (vector, index): Item => ({ object: 'embedding', index, embedding: encode(vector, encoding) })
  )
  const share = fault.kind === 'understated_usage' ? fault.factor : 1
  const tokens = Math.floor(request.tokens * share)
  const body = {
    object: 'list',
    data: spoilItems(items, fault),
    model: request.model.id,
    usage: { prompt_tokens: tokens, total_tokens: tokens }
  }
  return Buffer.from(spoilText(JSON.stringify(body), fault))
}

function vectorsOf(
  { dimensions, inputs }: EmbeddingsRequest,
  vectors: Vectors,
  fault: FaultRule
): Float32Array[] {
  const rows = inputs.map((_, index) => vectors.row(index))
  const [first] = rows
  if (fault.kind === 'zero_vector') first?.fill(0)
  if (fault.kind === 'nan') first?.fill(Number.NaN, 0, 1)
  if (fault.kind !== 'wrong_dimensions') return rows
  return rows.map(row => {
    const resized = new Float32Array(Math.max(0, dimensions + fault.by))
    resized.set(row.subarray(0, resized.length))
    return resized
  })
}

function encode(vector: Float32Array, encoding: 'float' | 'base64'): string | number[] {
  if (encoding === 'float') return Array.from(vector)
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64')
}

function spoilItems(items: Item[], fault: FaultRule): Item[] {
  const [first, ...rest] = items
  if (!first) return items
  if (fault.kind === 'wrong_count') {
    const extra = Array.from({ length: Math.max(0, fault.by) }, (_, more) => ({
      ...first,
      index: items.length + more
    }))
    return [...items, ...extra].slice(0, Math.max(0, items.length + fault.by))
  }
  if (fault.kind === 'shuffled') return items.toReversed()
  if (fault.kind === 'duplicate_index') return items.map(item => ({ ...item, index: 0 }))
  if (fault.kind === 'missing_index') {
    return [{ object: first.object, embedding: first.embedding }, ...rest]
  }
  if (fault.kind === 'base64_misaligned') {
    return [{ ...first, embedding: Buffer.alloc(misalignedBytes(first)).toString('base64') }, ...rest]
  }
  return items
}

/** One byte less than whole floats. */
function misalignedBytes({ embedding }: Item): number {
  return typeof embedding === 'string' ? Buffer.byteLength(embedding, 'base64') - 1 : embedding.length * 4 - 1
}

function spoilText(text: string, fault: FaultRule): string {
  if (fault.kind === 'truncated_json') return text.slice(0, Math.floor(text.length * fault.at))
  return fault.kind === 'malformed_json' ? text.replace('"data":[', '"data":[,') : text
}
