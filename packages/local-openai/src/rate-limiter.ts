import { ApiError } from './api-error.ts'
import { goDuration } from './go-duration.ts'
import type { Limits } from './limits.ts'
import { RateBucket } from './rate-bucket.ts'

const minuteMs = 60_000
const dayMs = 86_400_000

interface Buckets {
  readonly requestsPerMinute: RateBucket | undefined
  readonly requestsPerDay: RateBucket | undefined
  readonly tokensPerMinute: RateBucket | undefined
}

/** Admits requests within limits that are counted per model. */
export class RateLimiter {
  readonly limits: Limits
  readonly #buckets = new Map<string, Buckets>()

  constructor(limits: Limits) {
    this.limits = limits
  }

  /**
   * Takes one request of `tokens` off the limits.
   * @returns the headers that tell what is left.
   * @throws {ApiError} 429 with those headers, and with Retry-After when waiting helps.
   */
  admit(model: string, tokens: number, nowMs: number): Record<string, string> {
    const buckets = this.#bucketsOf(model)
    const refusal = refuse(model, tokens, buckets, nowMs)
    if (!refusal || this.limits.countRejected) {
      buckets.requestsPerMinute?.take(1, nowMs)
      buckets.requestsPerDay?.take(1, nowMs)
      buckets.tokensPerMinute?.take(tokens, nowMs)
    }
    const headers = {
      ...describe('requests', buckets.requestsPerMinute ?? buckets.requestsPerDay, nowMs),
      ...describe('tokens', buckets.tokensPerMinute, nowMs)
    }
    if (!refusal) return headers
    throw rateLimitError(refusal, headers)
  }

  #bucketsOf(model: string): Buckets {
    let buckets = this.#buckets.get(model)
    if (!buckets) {
      const { requestsPerMinute, requestsPerDay, tokensPerMinute } = this.limits
      buckets = {
        requestsPerMinute: open(requestsPerMinute, minuteMs),
        requestsPerDay: open(requestsPerDay, dayMs),
        tokensPerMinute: open(tokensPerMinute, minuteMs)
      }
      this.#buckets.set(model, buckets)
    }
    return buckets
  }
}

export interface RateRefusal {
  readonly type: 'requests' | 'tokens'
  readonly message: string
  /** Absent when waiting does not help. */
  readonly waitMs?: number
}

/** 429 `rate_limit_exceeded`. */
export function rateLimitError(refusal: RateRefusal, headers: Readonly<Record<string, string>>): ApiError {
  return new ApiError({
    status: 429,
    message: refusal.message,
    type: refusal.type,
    code: 'rate_limit_exceeded',
    headers: { ...headers, ...(refusal.waitMs === undefined ? {} : retryAfter(refusal.waitMs)) }
  })
}

function refuse(model: string, tokens: number, buckets: Buckets, nowMs: number): RateRefusal | undefined {
  const subject = `for ${model} in organization org-local on`
  const { requestsPerMinute, requestsPerDay, tokensPerMinute } = buckets
  if (tokensPerMinute && tokens > tokensPerMinute.limit) {
    return {
      type: 'tokens',
      message: `Request too large ${subject} tokens per min (TPM): Limit ${tokensPerMinute.limit}, Requested ${tokens}. The input or output tokens must be reduced in order to run successfully. Visit https://platform.openai.com/account/rate-limits to learn more.`
    }
  }
  const checks = [
    ['requests', 'requests per day (RPD)', requestsPerDay, 1],
    ['requests', 'requests per min (RPM)', requestsPerMinute, 1],
    ['tokens', 'tokens per min (TPM)', tokensPerMinute, tokens]
  ] as const
  for (const [type, name, bucket, amount] of checks) {
    const waitMs = bucket?.waitMs(amount, nowMs) ?? 0
    if (!bucket || waitMs === 0) continue
    const used = Math.round(bucket.used(nowMs))
    return {
      type,
      waitMs,
      message: `Rate limit reached ${subject} ${name}: Limit ${bucket.limit}, Used ${used}, Requested ${amount}. Please try again in ${goDuration(waitMs)}. Visit https://platform.openai.com/account/rate-limits to learn more.`
    }
  }
  return undefined
}

function describe(
  kind: 'requests' | 'tokens',
  bucket: RateBucket | undefined,
  nowMs: number
): Record<string, string> {
  if (!bucket) return {}
  return {
    [`x-ratelimit-limit-${kind}`]: String(bucket.limit),
    [`x-ratelimit-remaining-${kind}`]: String(bucket.remaining(nowMs)),
    [`x-ratelimit-reset-${kind}`]: goDuration(bucket.msUntilFull(nowMs))
  }
}

/** Rounded up: whoever waits as told is let in. */
function retryAfter(waitMs: number): Record<string, string> {
  return {
    'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))),
    'retry-after-ms': String(Math.max(1, Math.ceil(waitMs)))
  }
}

function open(limit: number | null, windowMs: number): RateBucket | undefined {
  return limit === null ? undefined : new RateBucket(limit, windowMs)
}
