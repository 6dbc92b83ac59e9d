// Embeddings by OpenAI or whoever speaks its language. One call is one try: what it may have cost is for the caller
// to know, so nothing is retried here, and every answer that is not usable counts as paid.
import { OpenAI } from 'openai'
import { z } from 'zod'
import { Failure } from '../../domain/failure.ts'
import { vectorFault } from '../../domain/vector-bytes.ts'
import type { Embedded, Embedder, VectorBytes } from '../../ports/embedder.ts'
import { withDeadline } from '../../runtime/deadline.ts'
import type { ProviderSettings } from '../../runtime/settings.ts'
import { classify, fetchOrUnreachable } from './classify.ts'
import { parseRateLimits } from './rate-limit-headers.ts'

export interface OpenaiOptions {
  /** Of one paid call; the SDK's own is ten minutes. */
  readonly deadlineMs?: number
}

const defaultDeadlineMs = 60_000
const checkDeadlineMs = 10_000

/** Servers that do not know base64 answer floats all the same. */
const answerSchema = z.object({
  data: z.array(z.object({ index: z.number().int(), embedding: z.union([z.string(), z.array(z.number())]) })),
  usage: z.object({ prompt_tokens: z.number() })
})

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
    this.#client = new OpenAI({
      apiKey: settings.OPENAI_API_KEY,
      baseURL: settings.OPENAI_BASE_URL,
      maxRetries: 0,
      fetch: fetchOrUnreachable,
      // Not OPENAI_LOG's: at debug the SDK prints request bodies.
      logLevel: 'off'
    })
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<Embedded> {
    const request: OpenAI.EmbeddingCreateParams = {
      model: this.model,
      input: [...texts],
      encoding_format: 'base64',
      ...(this.#shortens() && { dimensions: this.dimensions })
    }
    try {
      const { data, response } = await this.#ask(this.#deadlineMs, signal, options =>
        this.#client.embeddings.create(request, options).withResponse()
      )
      const answer = answerSchema.parse(data)
      return {
        vectors: this.#vectorsOf(answer.data, texts.length),
        paidTokens: answer.usage.prompt_tokens,
        limits: parseRateLimits(response.headers)
      }
    } catch (error) {
      signal.throwIfAborted()
      throw classify(error)
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    try {
      await this.#ask(checkDeadlineMs, signal, options => this.#client.models.retrieve(this.model, options))
    } catch (error) {
      signal.throwIfAborted()
      throw classify(error)
    }
  }

  /** The SDK's own deadline ends with the headers; a body may stall for ever. */
  async #ask<Answer>(
    deadlineMs: number,
    signal: AbortSignal,
    ask: (options: { readonly signal: AbortSignal; readonly timeout: number }) => Promise<Answer>
  ): Promise<Answer> {
    return await withDeadline(deadlineMs, signal, inner => ask({ signal: inner, timeout: 2 * deadlineMs }))
  }

  /** Models before text-embedding-3 refuse the parameter. */
  #shortens(): boolean {
    return this.model !== 'text-embedding-ada-002'
  }

  #vectorsOf(data: z.output<typeof answerSchema>['data'], count: number): readonly VectorBytes[] {
    const vectors: VectorBytes[] = []
    for (const { embedding, index } of data) {
      if (index < 0 || index >= count || vectors[index] !== undefined) throw unusable(`index ${index}`)
      const bytes = typeof embedding === 'string' ? Buffer.from(embedding, 'base64') : bytesOf(embedding)
      const fault = vectorFault(bytes, this.dimensions)
      if (fault !== undefined) throw unusable(`vector ${index} ${fault}`)
      vectors[index] = bytes
    }
    if (data.length !== count) throw unusable(`${data.length} vectors for ${count} texts`)
    return vectors
  }
}

function bytesOf(numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(numbers).buffer)
}

function unusable(what: string): Failure {
  return new Failure('EMBED_OUTCOME_UNKNOWN', `the answer is not usable: ${what}`)
}
