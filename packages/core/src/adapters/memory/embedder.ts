// A provider in memory: vectors are a function of model and text, and every payment is counted. Faults are
// scripted: `fail` queues one per call, `poison` marks texts.
import { createHash } from 'node:crypto'
import { Failure } from '../../domain/failure.ts'
import type { Embedded, Embedder, RateLimitState, VectorBytes } from '../../ports/embedder.ts'

const maxInputs = 2048
const maxInputTokens = 8192
const maxRequestTokens = 300_000

/**
 * - `refused`        the call fails so and nothing is paid.
 * - `unknown-paid`   `EMBED_OUTCOME_UNKNOWN`, and the texts are paid for.
 * - `unknown-unpaid` `EMBED_OUTCOME_UNKNOWN`, and nothing is.
 */
export type EmbedFault =
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'unknown-paid' }
  | { readonly kind: 'unknown-unpaid' }

export interface MemoryEmbedderOptions {
  readonly model?: string
  readonly dimensions?: number
  /** Tokens of a text; words by default. */
  readonly tokensOf?: (text: string) => number
  readonly limits?: RateLimitState
  /** Awaited between payment and answer: a simulation's latency. */
  readonly answerAfter?: (texts: readonly string[], signal: AbortSignal) => Promise<void>
}

export class MemoryEmbedder implements Embedder {
  readonly model: string
  readonly dimensions: number
  readonly #options: MemoryEmbedderOptions
  readonly #faults: EmbedFault[] = []
  readonly #poison = new Set<string>()
  readonly #payments = new Map<string, number>()
  #paidTokens = 0
  #calls = 0

  constructor(options: MemoryEmbedderOptions = {}) {
    this.model = options.model ?? 'text-embedding-3-small'
    this.dimensions = options.dimensions ?? 8
    this.#options = options
  }

  /** How often each text was paid for. */
  get payments(): ReadonlyMap<string, number> {
    return this.#payments
  }

  get paidTokens(): number {
    return this.#paidTokens
  }

  /** Calls of `embed`, whatever came of them. */
  get calls(): number {
    return this.#calls
  }

  /** The next calls of `embed` or `check` take one fault each, in this order. */
  fail(...faults: readonly EmbedFault[]): void {
    this.#faults.push(...faults)
  }

  /** From now on a request with one of these texts is rejected, naming the first. */
  poison(...texts: readonly string[]): void {
    for (const text of texts) this.#poison.add(text)
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<Embedded> {
    this.#calls += 1
    signal.throwIfAborted()
    const fault = this.#faults.shift()
    if (fault?.kind === 'refused') throw fault.failure
    if (fault?.kind === 'unknown-unpaid') throw unknownOutcome('before paying')

    const tokens = this.#admit(texts)
    this.#paidTokens += tokens
    for (const text of texts) this.#payments.set(text, (this.#payments.get(text) ?? 0) + 1)
    await this.#options.answerAfter?.(texts, signal)
    if (fault?.kind === 'unknown-paid') throw unknownOutcome('after paying')
    signal.throwIfAborted()

    return {
      vectors: texts.map(text => vectorOf(this.model, text, this.dimensions)),
      paidTokens: tokens,
      limits: this.#options.limits ?? {}
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const fault = this.#faults.shift()
    if (fault?.kind === 'refused') throw fault.failure
    if (fault !== undefined) throw unknownOutcome('while checking')
    await Promise.resolve()
  }

  /** Refuses what the provider would refuse; returns the tokens to pay. */
  #admit(texts: readonly string[]): number {
    if (texts.length === 0 || texts.length > maxInputs) {
      throw new Failure('EMBED_TOO_LARGE', `${texts.length} inputs: a request takes 1 to ${maxInputs}`)
    }
    let total = 0
    for (const [inputIndex, text] of texts.entries()) {
      const tokens = (this.#options.tokensOf ?? wordsOf)(text)
      if (text === '' || tokens > maxInputTokens || this.#poison.has(text)) {
        throw new Failure('EMBED_INPUT_REJECTED', `input ${inputIndex} cannot be embedded`, { inputIndex })
      }
      total += tokens
    }
    if (total > maxRequestTokens) {
      throw new Failure('EMBED_TOO_LARGE', `${total} tokens: a request takes at most ${maxRequestTokens}`)
    }
    return total
  }
}

/** A unit vector that depends on nothing but its arguments. */
export function vectorOf(model: string, text: string, dimensions: number): VectorBytes {
  const seed = createHash('shake256', { outputLength: dimensions * 4 })
    .update(`${model}\n${text}`)
    .digest()
  const vector = Float32Array.from(
    { length: dimensions },
    (_, index) => seed.readInt32LE(index * 4) / 2 ** 31
  )
  const norm = Math.hypot(...vector)
  for (const [index, component] of vector.entries()) vector[index] = component / norm
  return new Uint8Array(vector.buffer)
}

export function wordsOf(text: string): number {
  return text.split(/\s+/).filter(word => word !== '').length || 1
}

function unknownOutcome(when: string): Failure {
  return new Failure('EMBED_OUTCOME_UNKNOWN', `the provider's answer was lost (${when})`)
}
