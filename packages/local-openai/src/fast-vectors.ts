// Deterministic vectors that cost a benchmark next to nothing. A vector is a row of blocks, each taken
// from a fixed pool of noise by 12 bits of the text's SHA-256 (for 1536 dimensions 8 blocks, 96 bits). All blocks
// of a pool have the same length, so every row of them has unit length; and a block's base64 is made once, so
// a vector's base64 is 8 copies of memory. The vectors of two texts are as good as orthogonal: unless they
// share a block, which 1 pair in 500 does, their cosine is about 1/sqrt(dimensions).

import { FloatVectors } from './float-vectors.ts'
import { openaiModels } from './models.ts'
import type { EmbeddingModel } from './models.ts'
import { digestText } from './paid-input.ts'
import type { PaidInput } from './paid-input.ts'
import { SeededRandom } from './seeded-random.ts'
import { shorten } from './shorten.ts'
import type { Vectors, VectorSource } from './vector-source.ts'

/** Of floats; a multiple of 3, so that its base64 has no padding. */
const blockLength = 192
const blockBase64Bytes = (blockLength * 4 * 4) / 3
const poolBlocks = 4096

export class FastVectors implements VectorSource {
  readonly models = openaiModels
  readonly #pools = new Map<string, BlockPool>()

  embed(model: EmbeddingModel, inputs: readonly PaidInput[], dimensions: number): Promise<Vectors> {
    const pool = this.#poolOf(model)
    if (dimensions === model.dimensions) return Promise.resolve(new BlockVectors(pool, inputs))
    const rows = inputs.map(input => shorten(pool.vector(input.digest), dimensions))
    return Promise.resolve(new FloatVectors(rows))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held.
  }

  #poolOf(model: EmbeddingModel): BlockPool {
    let pool = this.#pools.get(model.id)
    if (!pool) {
      pool = new BlockPool(model)
      this.#pools.set(model.id, pool)
    }
    return pool
  }
}

class BlockVectors implements Vectors {
  readonly #pool: BlockPool
  readonly #inputs: readonly PaidInput[]

  constructor(pool: BlockPool, inputs: readonly PaidInput[]) {
    this.#pool = pool
    this.#inputs = inputs
  }

  row(index: number): Float32Array {
    return this.#pool.vector(this.#digest(index))
  }

  writeBase64(index: number, target: Buffer, offset: number): number {
    return this.#pool.writeBase64(this.#digest(index), target, offset)
  }

  #digest(index: number): Buffer {
    const input = this.#inputs[index]
    if (!input) throw new RangeError(`no input ${index}`)
    return input.digest
  }
}

class BlockPool {
  readonly #blocks: number
  readonly #salt: Buffer
  readonly #floats: Float32Array
  readonly #base64: Buffer

  constructor(model: EmbeddingModel) {
    this.#blocks = model.dimensions / blockLength
    this.#salt = digestText(model.id)
    this.#floats = makeNoise(this.#salt.readUInt32LE(28), 1 / Math.sqrt(this.#blocks))
    this.#base64 = Buffer.from(Buffer.from(this.#floats.buffer).toString('base64'), 'latin1')
  }

  vector(digest: Buffer): Float32Array {
    const vector = new Float32Array(this.#blocks * blockLength)
    for (let position = 0; position < this.#blocks; position++) {
      const from = this.#pick(digest, position) * blockLength
      vector.set(this.#floats.subarray(from, from + blockLength), position * blockLength)
    }
    return vector
  }

  writeBase64(digest: Buffer, target: Buffer, offset: number): number {
    for (let position = 0; position < this.#blocks; position++) {
      const from = this.#pick(digest, position) * blockBase64Bytes
      this.#base64.copy(target, offset + position * blockBase64Bytes, from, from + blockBase64Bytes)
    }
    return this.#blocks * blockBase64Bytes
  }

  /** Which block of the pool stands at `position`: the 12 bits of the digest there, salted by the model. */
  #pick(digest: Buffer, position: number): number {
    const byte = (position >> 1) * 3
    return (twelveBits(digest, byte, position & 1) ^ twelveBits(this.#salt, byte, position & 1)) % poolBlocks
  }
}

function twelveBits(bytes: Buffer, byte: number, half: number): number {
  const [low = 0, middle = 0, high = 0] = [bytes[byte], bytes[byte + 1], bytes[byte + 2]]
  return half === 0 ? low | ((middle & 15) << 8) : (middle >> 4) | (high << 4)
}

/** Blocks of roughly normal noise: of sums of uniform numbers, because those come out the same on every machine. */
function makeNoise(seed: number, length: number): Float32Array {
  const random = new SeededRandom(seed)
  const floats = Float32Array.from(
    { length: poolBlocks * blockLength },
    () => random.next() + random.next() + random.next() + random.next() - 2
  )
  for (let from = 0; from < floats.length; from += blockLength) {
    const block = floats.subarray(from, from + blockLength)
    const scale = length / Math.sqrt(block.reduce((sum, value) => sum + value * value, 0))
    for (const [index, value] of block.entries()) block[index] = value * scale
  }
  return floats
}
