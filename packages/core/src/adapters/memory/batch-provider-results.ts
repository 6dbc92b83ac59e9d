import type { Digest } from '../../domain/identity.ts'
import type { JobResults, LineOutcome } from '../../ports/batch-provider.ts'
import type { ResultLine } from './batch-provider-job.ts'
import { vectorOf } from './embedder.ts'

export interface ResultsParts {
  readonly output: readonly ResultLine[]
  readonly errorLines: readonly ResultLine[]
  readonly strangers: number
  readonly model: string
  readonly dimensions: number
  readonly tokensOf: (text: string) => number
}

const reasons = {
  expired: 'batch_expired: This request could not be executed before the completion window expired.',
  cancelled: 'batch_cancelled: This request was cancelled.',
  failed: 'status 500: The server had an error while processing your request.',
  rejected: 'status 400: this input cannot be embedded',
  empty: 'the answer holds no vector',
  'wrong-length': 'the vector has the wrong length',
  'not-finite': 'the vector has a component that is not finite',
  zero: 'the vector is all zero'
} as const

/** The files of a job that has ended; vectors are made when they are read. */
export class MemoryJobResults implements JobResults {
  readonly lines: number
  readonly strangers: number
  readonly repeats: number
  readonly #found = new Map<Digest, ResultLine>()
  readonly #parts: ResultsParts
  #disposed = false

  constructor(parts: ResultsParts) {
    this.#parts = parts
    let repeats = 0
    for (const found of [...parts.output, ...parts.errorLines]) {
      if (this.#found.has(found.line.content)) repeats += 1
      else this.#found.set(found.line.content, found)
    }
    this.lines = parts.output.length + parts.errorLines.length + parts.strangers
    this.strangers = parts.strangers
    this.repeats = repeats
  }

  async read(contents: readonly Digest[]): Promise<ReadonlyMap<Digest, LineOutcome>> {
    await Promise.resolve()
    if (this.#disposed) throw new Error('these results are disposed of')
    const outcomes = new Map<Digest, LineOutcome>()
    for (const content of contents) {
      const found = this.#found.get(content)
      if (found !== undefined) outcomes.set(content, this.#outcome(found))
    }
    return outcomes
  }

  /** Vectors are small here. */
  release(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve()
    this.#disposed = true
  }

  #outcome({ fault, line }: ResultLine): LineOutcome {
    const { dimensions, model, tokensOf } = this.#parts
    const paidTokens = tokensOf(line.text)
    switch (fault) {
      case undefined:
      case 'repeated':
        return { kind: 'vector', vector: vectorOf(model, line.text, dimensions), paidTokens }
      case 'failed':
      case 'expired':
      case 'cancelled':
        return { kind: 'failed', reason: reasons[fault] }
      case 'rejected':
        return { kind: 'rejected', reason: reasons[fault], paidTokens: 0 }
      case 'empty':
      case 'wrong-length':
      case 'not-finite':
      case 'zero':
        return { kind: 'rejected', reason: reasons[fault], paidTokens }
      case 'missing':
      case 'lost':
        throw new Error(`a line that is ${fault} stands in no file`)
    }
  }
}
