import type { PastJob } from '@pointsman/core/ports/ledger'
import { z } from 'zod'
import { type BatchSettings, usableQueueTokens } from '@pointsman/core/runtime/settings'
import type { ReckoningSettings } from './reckoning-settings.ts'
import type { Prices } from '../status/token-price.ts'

const price = z.number().nonnegative().nullable()

/** What costs and durations are reckoned from. Null is "not known". */
export const estimateBasis = z.object({
  model: z.string(),
  usdPerMillionTokens: z.object({ realtime: price, batch: price }),
  realtime: z.object({
    documentsPerSecond: price.describe('measured, when the lane last had a backlog'),
    tokensPerMinute: z.number().positive().describe('what the provider is said to allow')
  }),
  batch: z.object({
    maxLines: z.int().positive(),
    maxBytes: z.int().positive(),
    maxTokens: z.int().positive().describe('of one job: its share of what may be enqueued at once'),
    maxJobs: z.int().positive().describe('at the provider at once'),
    turnaround: z
      .object({ jobs: z.int().positive(), medianMs: z.number(), longestMs: z.number() })
      .nullable()
      .describe('of the last jobs that were completed, from submission to end')
  })
})
export type EstimateBasis = z.output<typeof estimateBasis>

export interface EstimateSettings {
  readonly tokensPerMinute: number
  readonly maxLines: number
  readonly maxBytes: number
  readonly maxTokens: number
  readonly maxJobs: number
}

export function estimateSettingsOf(settings: BatchSettings & ReckoningSettings): EstimateSettings {
  return {
    tokensPerMinute: settings.EMBEDDING_TOKENS_PER_MINUTE,
    maxLines: settings.BATCH_MAX_LINES,
    maxBytes: settings.BATCH_MAX_BYTES,
    maxTokens: Math.floor(usableQueueTokens(settings) / settings.BATCH_MAX_JOBS),
    maxJobs: settings.BATCH_MAX_JOBS
  }
}

/** More would be another day's provider. */
const jobsLookedAt = 50

export function basisOf(known: {
  readonly model: string
  readonly prices: Prices
  readonly settings: EstimateSettings
  readonly documentsPerSecond: number | null
  /** Latest first. */
  readonly pastJobs: readonly PastJob[]
}): EstimateBasis {
  const { tokensPerMinute, ...batch } = known.settings
  const { realtime, batch: batchPrice } = known.prices
  return {
    model: known.model,
    usdPerMillionTokens: { realtime: realtime ?? null, batch: batchPrice ?? null },
    realtime: { documentsPerSecond: known.documentsPerSecond, tokensPerMinute },
    batch: { ...batch, turnaround: turnaroundOf(known.pastJobs) }
  }
}

function turnaroundOf(pastJobs: readonly PastJob[]): EstimateBasis['batch']['turnaround'] {
  const tookMs = pastJobs
    .filter(
      ({ status, submittedMs, endedMs }) => status === 'completed' && submittedMs > 0 && endedMs > submittedMs
    )
    .slice(0, jobsLookedAt)
    .map(({ submittedMs, endedMs }) => endedMs - submittedMs)
    .toSorted((a, b) => a - b)
  const medianMs = tookMs[Math.floor(tookMs.length / 2)]
  const longestMs = tookMs.at(-1)
  return medianMs === undefined || longestMs === undefined
    ? null
    : { jobs: tookMs.length, medianMs, longestMs }
}
