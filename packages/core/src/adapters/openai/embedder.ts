// Embeddings by OpenAI or whoever speaks its language. One call is one try: what it may have cost is for the caller
// to know, so nothing is retried here, and every answer that is not usable counts as paid.
import type { OpenAI } from 'openai'
import type { Embedded, Embedder } from '../../ports/embedder.ts'
import type { ProviderSettings } from '../../runtime/settings.ts'
import { classify } from './classify.ts'
import { askWithin, openClient, takesDimensions } from './client.ts'
import { parseRateLimits } from './rate-limit-headers.ts'
import { readAnswer } from './read-answer.ts'

export interface OpenaiOptions {
  /** Of one paid call; the SDK's own is ten minutes. */
  readonly deadlineMs?: number
}

const defaultDeadlineMs = 60_000
const checkDeadlineMs = 10_000

/** An embedder at OpenAI or at any server of its kind; opens no connection before the first call. */
export function openOpenai(settings: ProviderSettings, options: OpenaiOptions = {}): Embedder {
  return new OpenaiEmbedder(settings, options.deadlineMs ?? defaultDeadlineMs)
}

class OpenaiEmbedder implements Embedder {
  readonly model: string
  readonly dimensions: number
  readonly #client: OpenAI
  readonly #deadlineMs: number

  constructor(settings: ProviderSettings, deadlineMs: number) {
    this.model = settings.EMBEDDING_MODEL
    this.dimensions = settings.EMBEDDING_DIMENSIONS
    this.#deadlineMs = deadlineMs
    this.#client = openClient(settings)
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<Embedded> {
    const request: OpenAI.EmbeddingCreateParams = {
      model: this.model,
      input: [...texts],
      encoding_format: 'base64',
      ...(takesDimensions(this.model) && { dimensions: this.dimensions })
    }
    try {
      const { body, headers } = await askWithin(this.#deadlineMs, signal, async options => {
        const response = await this.#client.embeddings.create(request, options).asResponse()
        return { body: await response.arrayBuffer(), headers: response.headers }
      })
      const answer = readAnswer(new Uint8Array(body), texts.length, this.dimensions)
      // Two megabytes that are not left to the garbage collector: it sees only the few bytes that point to them.
      body.transfer(0)
      return { ...answer, limits: parseRateLimits(headers) }
    } catch (error) {
      signal.throwIfAborted()
      throw classify(error)
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    try {
      await askWithin(checkDeadlineMs, signal, options => this.#client.models.retrieve(this.model, options))
    } catch (error) {
      signal.throwIfAborted()
      throw classify(error)
    }
  }
}
