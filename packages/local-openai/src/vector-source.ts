import type { EmbeddingModel } from './models.ts'
import type { PaidInput } from './paid-input.ts'

/** The vectors of one request, in the order of its inputs; all finite and of unit length. */
export interface Vectors {
  /** A copy of one vector. */
  row(index: number): Float32Array
  /**
   * Writes one vector as base64 of little-endian float32.
   * @returns how many bytes were written.
   */
  writeBase64(index: number, target: Buffer, offset: number): number
}

/**
 * Makes vectors. They depend on the model and the text alone; a shorter one is the
 * prefix of the native one, brought back to unit length.
 */
export interface VectorSource extends AsyncDisposable {
  readonly models: readonly EmbeddingModel[]

  /** @param dimensions - 1 to `model.dimensions`. */
  embed(model: EmbeddingModel, inputs: readonly PaidInput[], dimensions: number): Promise<Vectors>
}
