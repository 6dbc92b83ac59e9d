// The vectors that texts should have, from a provider of its own: asking the one under test would change its bill.
import type { VectorBytes } from '@pointsman/core/ports/embedder'
import { openLocalOpenai } from './local-openai-under-test.ts'

const inputsAtOnce = 1_000

export async function trueVectors(
  model: string,
  dimensions: number,
  texts: ReadonlySet<string>
): Promise<ReadonlyMap<string, readonly number[]>> {
  await using provider = await openLocalOpenai()
  const client = provider.client()
  const inputs = [...texts].filter(text => text !== '')
  const vectors = new Map<string, readonly number[]>()
  for (let from = 0; from < inputs.length; from += inputsAtOnce) {
    const input = inputs.slice(from, from + inputsAtOnce)
    const { data } = await client.embeddings.create({ model, dimensions, input })
    for (const { embedding, index } of data) vectors.set(input[index] ?? '', embedding)
  }
  return vectors
}

/** @param stored - float32, little-endian. */
export function cosine(stored: VectorBytes, other: readonly number[]): number {
  const bytes = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
  if (stored.byteLength !== other.length * 4) return Number.NaN
  let [dot, mine, others] = [0, 0, 0]
  for (const [index, value] of other.entries()) {
    const own = bytes.getFloat32(index * 4, true)
    dot += own * value
    mine += own * own
    others += value * value
  }
  return dot / Math.sqrt(mine * others)
}
