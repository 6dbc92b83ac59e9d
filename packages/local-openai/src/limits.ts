import { z } from 'zod'

const limit = z.number().int().min(1).nullable().default(null)

/** Limits per model; null is no limit, and no headers about it. */
const explicitSchema = z.strictObject({
  requestsPerMinute: limit,
  requestsPerDay: limit,
  tokensPerMinute: limit,
  /** Tokens of a model in all jobs that have not ended; a job beyond it fails. */
  enqueuedTokens: limit,
  batchesPerHour: z.number().int().min(1).nullable().default(2000),
  /** Whether a request that was answered 429 uses up the limits all the same. */
  countRejected: z.boolean().default(false)
})

export type Limits = Readonly<z.output<typeof explicitSchema>>

const none = {
  requestsPerMinute: null,
  requestsPerDay: null,
  tokensPerMinute: null,
  enqueuedTokens: null,
  batchesPerHour: 2000,
  countRejected: false
}
const million = 1_000_000

/** What OpenAI grants to text-embedding-3 by usage tier, as of 2026-07. */
const tiers = {
  none,
  free: { ...none, requestsPerMinute: 100, requestsPerDay: 2000, tokensPerMinute: 40_000 },
  1: { ...none, requestsPerMinute: 3000, tokensPerMinute: 1_000_000, enqueuedTokens: 3 * million },
  2: { ...none, requestsPerMinute: 5000, tokensPerMinute: 1_000_000, enqueuedTokens: 20 * million },
  3: { ...none, requestsPerMinute: 5000, tokensPerMinute: 5_000_000, enqueuedTokens: 100 * million },
  4: { ...none, requestsPerMinute: 10_000, tokensPerMinute: 5_000_000, enqueuedTokens: 500 * million },
  5: { ...none, requestsPerMinute: 10_000, tokensPerMinute: 10_000_000, enqueuedTokens: 4000 * million }
} as const satisfies Record<string, Limits>

const tierNames = ['none', 'free', '1', '2', '3', '4', '5'] as const

/** A tier's name, as `none`, `free` or `1` to `5`, to its limits. */
export const tierSchema = z.enum(tierNames).transform((tier): Limits => tiers[tier])

/** `{tier}`, or limits of one's own. */
export const limitsSchema = z.union([
  z.strictObject({ tier: tierSchema }).transform(({ tier }) => tier),
  explicitSchema
])

export const unlimited: Limits = none
