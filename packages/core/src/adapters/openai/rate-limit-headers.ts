import type { RateLimitState } from '../../ports/embedder.ts'

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** A Go duration such as `6m0s` or `12ms`, in milliseconds; undefined for anything else. */
function parseGoDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)
  return [...parts].reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitsMs[unit ?? ''] ?? 0), 0)
}

/** The six `x-ratelimit-*` headers; those that are missing or malformed are left out. */
export function parseRateLimits(headers: Headers): RateLimitState {
  const count = (name: string): number | undefined => {
    const text = headers.get(`x-ratelimit-${name}`)
    return text !== null && /^\d+$/.test(text) ? Number(text) : undefined
  }
  const duration = (name: string): number | undefined =>
    parseGoDuration(headers.get(`x-ratelimit-${name}`) ?? '')
  return withoutUndefined({
    limitRequests: count('limit-requests'),
    remainingRequests: count('remaining-requests'),
    resetRequestsMs: duration('reset-requests'),
    limitTokens: count('limit-tokens'),
    remainingTokens: count('remaining-tokens'),
    resetTokensMs: duration('reset-tokens')
  })
}

/** How long a refusal asks us to wait: `retry-after-ms`, `Retry-After` in seconds or as a date, else its message. */
export function retryAfterMs(headers: Headers | undefined, message: string): number | undefined {
  const ms = headers?.get('retry-after-ms')
  if (ms && /^\d+(\.\d+)?$/.test(ms)) return Number(ms)
  const after = headers?.get('retry-after')
  if (after && /^\d+(\.\d+)?$/.test(after)) return Number(after) * 1_000
  const dateMs = after ? Date.parse(after) : Number.NaN
  if (!Number.isNaN(dateMs)) return Math.max(0, dateMs - Date.now())
  return parseGoDuration(/try again in ([\d.hms]+?)\.?(\s|$)/.exec(message)?.[1] ?? '')
}

function withoutUndefined(state: Readonly<Record<string, number | undefined>>): RateLimitState {
  return Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined))
}
