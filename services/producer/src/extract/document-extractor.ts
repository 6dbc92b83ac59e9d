// Parses HTML, Word and PDF files in a thread of their own, which is ended when it takes too long or too much memory.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Clock } from '@pointsman/core/ports/clock'
import type { Extraction, ExtractionKind, ExtractionRequest } from './extraction.ts'
import { messageOf } from '@pointsman/core/runtime/message-of'

export interface ExtractorLimits {
  readonly deadlineMs: number
  /** Of the thread: objects, and buffers beside them. */
  readonly maxMemoryBytes: number
}

const pollMs = 50
const mebibyte = 1_048_576

export class DocumentExtractor implements AsyncDisposable {
  readonly #clock: Clock
  readonly #limits: ExtractorLimits
  #worker: Worker | undefined

  constructor(clock: Clock, limits: ExtractorLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /**
   * One at a time.
   * @param bytes - handed over: not to be used afterwards.
   * @throws the signal's reason
   */
  async extract(kind: ExtractionKind, bytes: Uint8Array, signal: AbortSignal): Promise<Extraction> {
    signal.throwIfAborted()
    const worker = (this.#worker ??= this.#start())
    const over = new AbortController()
    const whenOver = AbortSignal.any([signal, over.signal])
    const answer = answerOf(worker, over.signal)
    // A copy of its own buffer: small files are slices of a pool that others share.
    const own = new Uint8Array(bytes)
    worker.postMessage({ kind, bytes: own } satisfies ExtractionRequest, [own.buffer])
    try {
      const first = await Promise.race([answer, this.#watch(worker, whenOver)])
      if (first.ended) await this.#end()
      return first.extraction
    } catch (error) {
      await this.#end()
      throw error
    } finally {
      over.abort()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
  }

  #start(): Worker {
    const worker = new Worker(new URL('./extract-thread.ts', import.meta.url), {
      // What libraries print must not reach the report on standard output.
      stdout: true,
      stderr: true,
      env: {},
      resourceLimits: {
        maxOldGenerationSizeMb: Math.floor(this.#limits.maxMemoryBytes / mebibyte),
        stackSizeMb: 4
      }
    })
    worker.stdout.resume()
    worker.stderr.resume()
    return worker
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  /** Resolves when a limit is passed. The heap limit alone does not see buffers, which is where bombs unfold. */
  async #watch(worker: Worker, signal: AbortSignal): Promise<Answer> {
    const { deadlineMs, maxMemoryBytes } = this.#limits
    const startMs = this.#clock.nowMs()
    for (;;) {
      await this.#clock.sleep(pollMs, signal)
      if (this.#clock.nowMs() - startMs > deadlineMs)
        return ended(`it took longer than ${deadlineMs} ms to read`)
      // A thread that is too busy to tell is left to its deadline.
      const used = await Promise.race([memoryOf(worker), this.#clock.sleep(pollMs, signal).then(() => 0)])
      if (used > maxMemoryBytes) return ended(`it took more than ${maxMemoryBytes} bytes of memory to read`)
    }
  }
}

interface Answer {
  readonly extraction: Extraction
  readonly ended: boolean
}

function ended(reason: string): Answer {
  return { extraction: { reason }, ended: true }
}

async function answerOf(worker: Worker, signal: AbortSignal): Promise<Answer> {
  try {
    const exit = once(worker, 'exit', { signal }).then(() => ended('its parser ended unexpectedly'))
    const message = once(worker, 'message', { signal }).then(([extraction]: Extraction[]) =>
      extraction === undefined ? ended('its parser gave no answer') : { extraction, ended: false }
    )
    return await Promise.race([message, exit])
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
      return ended('it took too much memory to read')
    }
    return ended(`its parser failed: ${messageOf(error)}`)
  }
}

/** 0 when the thread has just ended: its exit is told elsewhere. */
async function memoryOf(worker: Worker): Promise<number> {
  try {
    const { used_heap_size: heap, external_memory: external } = await worker.getHeapStatistics()
    return heap + external
  } catch {
    return 0
  }
}
