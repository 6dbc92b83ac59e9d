import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { FloatVectors } from './float-vectors.ts'
import { minilmModel } from './models.ts'
import type { EmbeddingModel } from './models.ts'
import type { PaidInput } from './paid-input.ts'
import { shorten } from './shorten.ts'
import type { Vectors, VectorSource } from './vector-source.ts'

/** Texts per message to a thread: few, so that a short request is not kept behind a long one. */
const textsPerMessage = 8

interface Task {
  readonly texts: readonly string[]
  readonly done: PromiseWithResolvers<readonly Float32Array[]>
}

const rowsSchema = z.array(z.instanceof(Float32Array))

/** Real vectors: all-MiniLM-L6-v2 in worker threads, each on one core. */
export class MinilmVectors implements VectorSource {
  readonly models = [minilmModel]
  readonly #workers: readonly Worker[]
  readonly #idle: Worker[]
  readonly #queue: Task[] = []
  readonly #running = new Set<Promise<void>>()
  #failure: unknown
  #isEnding = false

  private constructor(workers: readonly Worker[]) {
    this.#workers = workers
    this.#idle = [...workers]
  }

  /**
   * @param folder - holds the model's two files, see `MinilmModel.load`.
   * @param threads - one less than there are cores unless told.
   * @throws {Error} when a thread cannot load the model.
   */
  static async start(
    folder: string,
    threads = Math.max(1, availableParallelism() - 1)
  ): Promise<MinilmVectors> {
    // Unless told otherwise it would tell its makers what it is used for. A library reads the environment of the process.
    // oxlint-disable-next-line node/no-process-env
    process.env['ORT_DISABLE_TELEMETRY'] ??= '1'
    const workers = Array.from(
      { length: threads },
      () => new Worker(new URL('./minilm-worker.ts', import.meta.url), { workerData: folder })
    )
    try {
      await Promise.all(workers.map(worker => once(worker, 'message')))
    } catch (error) {
      await Promise.all(workers.map(worker => worker.terminate()))
      throw error
    }
    return new MinilmVectors(workers)
  }

  async embed(_model: EmbeddingModel, inputs: readonly PaidInput[], dimensions: number): Promise<Vectors> {
    // The longest first: otherwise a thread may begin one when the others are done.
    const order = inputs
      .map((_, index) => index)
      .toSorted((a, b) => tokensAt(inputs, b) - tokensAt(inputs, a))
    const rows: Float32Array[] = []
    const parts = Array.from({ length: Math.ceil(order.length / textsPerMessage) }, (_, part) =>
      order.slice(part * textsPerMessage, (part + 1) * textsPerMessage)
    )
    await Promise.all(
      parts.map(async part => {
        const vectors = await this.#run(part.map(index => inputs[index]?.text ?? ''))
        for (const [place, index] of part.entries()) {
          const vector = vectors[place]
          if (vector) rows[index] = shorten(vector, dimensions)
        }
      })
    )
    return new FloatVectors(rows)
  }

  /** What waits for its turn gets no answer any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true
    // A thread that is ended in the middle of the native part's work takes the process with it.
    await Promise.all(this.#running)
    await Promise.all(this.#workers.map(worker => worker.terminate()))
  }

  #run(texts: readonly string[]): Promise<readonly Float32Array[]> {
    const done = Promise.withResolvers<readonly Float32Array[]>()
    this.#queue.push({ texts, done })
    this.#dispatch()
    this.#rejectAfterFailure()
    return done.promise
  }

  #dispatch(): void {
    while (this.#idle.length > 0 && this.#failure === undefined && !this.#isEnding) {
      const task = this.#queue.shift()
      if (!task) return
      const worker = this.#idle.shift()
      if (!worker) return
      const running = this.#give(worker, task).finally(() => this.#running.delete(running))
      this.#running.add(running)
    }
  }

  async #give(worker: Worker, { texts, done }: Task): Promise<void> {
    try {
      worker.postMessage(texts)
      const [rows] = await once(worker, 'message')
      this.#idle.push(worker)
      done.resolve(rowsSchema.parse(rows))
    } catch (error) {
      // A thread has died: this must not pass for slowness, so nothing is answered from now on.
      done.reject(error)
      this.#failure = error
      this.#rejectAfterFailure()
    }
    this.#dispatch()
  }

  #rejectAfterFailure(): void {
    if (this.#failure === undefined) return
    for (const { done } of this.#queue.splice(0)) done.reject(this.#failure)
  }
}

function tokensAt(inputs: readonly PaidInput[], index: number): number {
  return inputs[index]?.tokens ?? 0
}
