import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { minilmModel } from './models.ts'

const maxWordPieces = 256
/** `[SEP]`, which ends every sequence. */
const endOfSequence = 102

/**
 * all-MiniLM-L6-v2, quantised to int8, on one thread. It takes one text at a time: the quantisation
 * scales with everything in a batch, so a vector would depend on its neighbours (cosine 0.985 to the one
 * made alone), and on one thread batches are slower as well.
 */
export class MinilmModel implements AsyncDisposable {
  readonly #tokenizer: Tokenizer
  readonly #session: InferenceSession

  private constructor(tokenizer: Tokenizer, session: InferenceSession) {
    this.#tokenizer = tokenizer
    this.#session = session
  }

  /**
   * @param folder - holds `all-minilm-l6-v2-q.onnx` and `all-minilm-l6-v2-q-tokenizer.json`.
   * @throws {Error} when a file is missing or is not what its name says.
   */
  static async load(folder: string): Promise<MinilmModel> {
    const definition: unknown = JSON.parse(
      await readFile(join(folder, 'all-minilm-l6-v2-q-tokenizer.json'), 'utf8')
    )
    if (typeof definition !== 'object' || definition === null) throw new Error('not a tokenizer definition')
    const session = await InferenceSession.create(join(folder, 'all-minilm-l6-v2-q.onnx'), {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1
    })
    return new MinilmModel(new Tokenizer(definition, {}), session)
  }

  /** @returns a unit vector of 384 numbers; what follows the 256th word piece has no part in it. */
  async embed(text: string): Promise<Float32Array> {
    const ids = this.#encode(text)
    const output = await this.#session.run({
      input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
      attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), [1, ids.length]),
      token_type_ids: new Tensor('int64', new BigInt64Array(ids.length), [1, ids.length])
    })
    const hidden = output['last_hidden_state']?.data
    if (!(hidden instanceof Float32Array)) throw new Error('the model gave no last_hidden_state')
    return meanDirection(hidden)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release()
  }

  #encode(text: string): number[] {
    const { ids } = this.#tokenizer.encode(text)
    return ids.length > maxWordPieces ? [...ids.slice(0, maxWordPieces - 1), endOfSequence] : ids
  }
}

/** The mean over the tokens, brought to unit length. */
function meanDirection(hidden: Float32Array): Float32Array {
  const { dimensions } = minilmModel
  const sum = new Float32Array(dimensions)
  for (let at = 0; at < hidden.length; at++) {
    const column = at % dimensions
    sum[column] = (sum[column] ?? 0) + (hidden[at] ?? 0)
  }
  const length = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0))
  return sum.map(value => value / length)
}
