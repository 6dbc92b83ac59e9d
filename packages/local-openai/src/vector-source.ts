import type { EmbeddingModel } from './models.ts'
import type { PaidInput } from './paid-input.ts'

/**
 * Makes vectors. They depend on the model and the text alone; a shorter one is the
 * prefix of the native one, brought back to unit length.
 */
export interface VectorSource extends AsyncDisposable {
  readonly models: readonly EmbeddingModel[]

  /**
   * @param dimensions - 1 to `model.dimensions`.
   * @returns the rows one after the other: `inputs.length * dimensions` finite numbers, each row of unit length.
   */
  embed(model: EmbeddingModel, inputs: readonly PaidInput[], dimensions: number): Promise<Float32Array>
}
