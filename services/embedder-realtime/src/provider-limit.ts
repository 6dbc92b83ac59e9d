// How much the provider lets us send: requests in flight by additive increase and multiplicative decrease, and the
// refilling budgets of requests and tokens that its rate-limit headers tell.
import type { Clock } from '@pointsman/core/ports/clock'
import type { RateLimitState } from '@pointsman/core/ports/embedder'

export interface ProviderLimitOptions {
  readonly clock: Clock
  readonly maxInFlight: number
}

/** How a call ended: what the limit learns from. */
export type CallEnd =
  | { readonly kind: 'answered'; readonly limits: RateLimitState }
  | { readonly kind: 'limited'; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'failed' }

const minuteMs = 60_000
const defaultRetryMs = 1_000
const longestNapMs = 1_000

/** A budget of `limit` a minute that refills continuously, as the provider's do. */
interface Budget {
  readonly limit: number
  readonly level: number
  readonly atMs: number
}

export class ProviderLimit {
  readonly #options: ProviderLimitOptions
  #allowed: number
  #inFlight = 0
  #notBeforeMs = 0
  #requests: Budget | undefined
  #tokens: Budget | undefined

  constructor(options: ProviderLimitOptions) {
    this.#options = options
    this.#allowed = Math.min(4, options.maxInFlight)
  }

  /** Requests that may be in flight now. */
  get allowed(): number {
    return Math.floor(this.#allowed)
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Waits until a request of this many tokens may be sent; `leave` must follow. */
  async enter(tokens: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    for (;;) {
      signal.throwIfAborted()
      const waitMs = this.#waitMs(tokens, clock.nowMs())
      if (waitMs <= 0) break
      await clock.sleep(Math.min(waitMs, longestNapMs), signal)
    }
    this.#inFlight += 1
    this.#requests = spend(this.#requests, 1, clock.nowMs())
    this.#tokens = spend(this.#tokens, tokens, clock.nowMs())
  }

  leave(end: CallEnd): void {
    const { clock, maxInFlight } = this.#options
    this.#inFlight -= 1
    if (end.kind === 'answered') {
      this.#allowed = Math.min(maxInFlight, this.#allowed + 1 / this.#allowed)
      const { limits } = end
      this.#requests = learn(this.#requests, limits.limitRequests, limits.remainingRequests, clock.nowMs())
      this.#tokens = learn(this.#tokens, limits.limitTokens, limits.remainingTokens, clock.nowMs())
    } else if (end.kind === 'limited') {
      this.#allowed = Math.max(1, this.#allowed / 2)
      this.#notBeforeMs = clock.nowMs() + (end.retryAfterMs ?? defaultRetryMs) * (1 + clock.random() / 10)
    }
  }

  #waitMs(tokens: number, nowMs: number): number {
    if (this.#inFlight >= this.allowed) return 5
    const waits = [
      this.#notBeforeMs - nowMs,
      refillMs(this.#requests, 1, nowMs),
      refillMs(this.#tokens, tokens, nowMs)
    ]
    return Math.max(...waits)
  }
}

function levelAt(budget: Budget, nowMs: number): number {
  return Math.min(budget.limit, budget.level + ((nowMs - budget.atMs) * budget.limit) / minuteMs)
}

function spend(budget: Budget | undefined, amount: number, nowMs: number): Budget | undefined {
  return budget && { ...budget, level: levelAt(budget, nowMs) - amount, atMs: nowMs }
}

/** What the provider says may be older than what we sent since, so the lower figure holds. */
function learn(
  budget: Budget | undefined,
  limit: number | undefined,
  remaining: number | undefined,
  nowMs: number
): Budget | undefined {
  if (limit === undefined || remaining === undefined || limit <= 0) return budget
  const level = budget?.limit === limit ? Math.min(levelAt(budget, nowMs), remaining) : remaining
  return { limit, level, atMs: nowMs }
}

function refillMs(budget: Budget | undefined, amount: number, nowMs: number): number {
  if (budget === undefined) return 0
  // A request larger than the whole budget can only be tried: the provider will say so.
  const missing = Math.min(amount, budget.limit) - levelAt(budget, nowMs)
  return (missing * minuteMs) / budget.limit
}
