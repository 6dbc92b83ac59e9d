/** Bytes of one vector: `dimensions` little-endian float32 values. Never a JavaScript array on the hot path. */
export type VectorBytes = Uint8Array

export interface RateLimitState {
  readonly limitRequests?: number
  readonly remainingRequests?: number
  readonly resetRequestsMs?: number
  readonly limitTokens?: number
  readonly remainingTokens?: number
  readonly resetTokensMs?: number
}

export interface Embedded {
  /** One per text, in the order given; each of the right length, finite and not all zero. */
  readonly vectors: readonly VectorBytes[]
  /** Tokens that the provider says it charged. */
  readonly paidTokens: number
  readonly limits: RateLimitState
  /**
   * Gives the memory of the vectors back; they are empty from then on. For whoever is done with them: the garbage
   * collector sees only the few bytes that point to them, and comes late.
   */
  readonly release?: () => void
}

/**
 * Turns texts into vectors for money. Implementations: `adapters/openai` and `adapters/memory`; each passes
 * `test/contract/embedder.ts`.
 */
export interface Embedder {
  readonly model: string
  /** Length of every vector; never changes. */
  readonly dimensions: number

  /**
   * Embed texts in one paid call. Never retries by itself.
   * @param texts - 1 to 2048, none empty, each at most 8192 tokens, together at most 300,000.
   * @param signal - aborts the call; it may be paid for all the same.
   * @throws {Failure}
   * - `EMBED_RATE_LIMITED` (429: surely not paid; `retryAfterMs` when told)
   * - `EMBED_UNAVAILABLE` (connection refused: surely not sent)
   * - `EMBED_INPUT_REJECTED` (400 about an input: nothing was embedded; `inputIndex` when told)
   * - `EMBED_TOO_LARGE` (the request as a whole exceeds a limit: split it)
   * - `EMBED_OUT_OF_FUNDS`, `EMBED_REFUSED` (quota, key, model: an operator must act)
   * - `EMBED_OUTCOME_UNKNOWN` (timeout, reset, 5xx or an unusable answer: perhaps paid)
   */
  embed(texts: readonly string[], signal: AbortSignal): Promise<Embedded>

  /** Asks whether the provider answers and knows the model, without paying. Throws as `embed` does. */
  check(signal: AbortSignal): Promise<void>
}
