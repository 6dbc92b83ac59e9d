// Deterministic vectors at a few microseconds each, so that the server costs a benchmark little.
// A vector is the sum of three windows into one fixed table of noise, at places and with weights
// taken from the text's SHA-256, scaled to unit length. 90 bits of the digest take part, so different texts
// have different vectors; those of two texts are as good as orthogonal (cosine about 1/sqrt(dimensions)).

import { openaiModels } from './models.ts'
import type { EmbeddingModel } from './models.ts'
import { digestText } from './paid-input.ts'
import type { PaidInput } from './paid-input.ts'
import { SeededRandom } from './seeded-random.ts'
import type { VectorSource } from './vector-source.ts'

const tableLength = 1 << 16
const windows = 3

export class FastVectors implements VectorSource {
  readonly models = openaiModels
  readonly #noise = makeNoise()

  embed(model: EmbeddingModel, inputs: readonly PaidInput[], dimensions: number): Promise<Float32Array> {
    const rows = new Float32Array(inputs.length * dimensions)
    const salt = digestText(model.id)
    const places = tableLength - model.dimensions
    for (const [row, input] of inputs.entries()) {
      // The places depend on the native length only: that makes a shorter vector a prefix.
      const place = (window: number): number =>
        ((input.digest.readUInt32LE(window * 4) ^ salt.readUInt32LE(window * 4)) >>> 0) % places
      const weight = (window: number): number =>
        0.5 + input.digest.readUInt16LE(windows * 4 + window * 2) / 65_536
      this.#fillRow(
        rows,
        row * dimensions,
        dimensions,
        [place(0), place(1), place(2)],
        [weight(0), weight(1), weight(2)]
      )
    }
    return Promise.resolve(rows)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held.
  }

  #fillRow(
    rows: Float32Array,
    start: number,
    dimensions: number,
    [a, b, c]: readonly [number, number, number],
    [wa, wb, wc]: readonly [number, number, number]
  ): void {
    const noise = this.#noise
    let squares = 0
    for (let i = 0; i < dimensions; i++) {
      const value = wa * at(noise, a + i) + wb * at(noise, b + i) + wc * at(noise, c + i)
      rows[start + i] = value
      squares += value * value
    }
    const scale = 1 / Math.sqrt(squares)
    for (let i = start; i < start + dimensions; i++) rows[i] = at(rows, i) * scale
  }
}

/** Roughly normal noise; sums of uniform numbers, because they come out the same on every machine. */
function makeNoise(): Float32Array {
  const random = new SeededRandom(0x9e3779b9)
  return Float32Array.from(
    { length: tableLength },
    () => random.next() + random.next() + random.next() + random.next() - 2
  )
}

function at(values: Float32Array, index: number): number {
  return values[index] ?? 0
}
