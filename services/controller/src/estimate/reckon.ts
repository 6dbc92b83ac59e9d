import { costOf } from '../status/token-price.ts'
import type { EstimateBasis } from './estimate-basis.ts'

/** What a lane costs and how long it takes. Null is "not known". */
export interface LaneEstimate {
  readonly usd: number | null
  readonly expectedMs: number | null
  /** Where `expectedMs` comes from, in words. */
  readonly basis: string
}

export interface Reckoning {
  readonly realtime: LaneEstimate
  readonly batch: LaneEstimate & {
    readonly jobs: number
    /** The provider's promise for as many jobs: a day for each round of jobs. */
    readonly atMostMs: number
  }
  /** What the batch lane saves. */
  readonly savingUsd: number | null
}

const dayMs = 86_400_000

/** Costs and durations of paying for these texts in either lane. Pure. */
export function reckon(
  { texts, tokens, jobs }: { readonly texts: number; readonly tokens: number; readonly jobs: number },
  { usdPerMillionTokens, realtime, batch }: EstimateBasis
): Reckoning {
  const usd = {
    realtime: costOf(tokens, usdPerMillionTokens.realtime ?? undefined) ?? null,
    batch: costOf(tokens, usdPerMillionTokens.batch ?? undefined) ?? null
  }
  const rounds = Math.ceil(jobs / batch.maxJobs)
  const { documentsPerSecond, tokensPerMinute } = realtime
  const { turnaround } = batch
  return {
    realtime: {
      usd: usd.realtime,
      ...(documentsPerSecond === null
        ? {
            expectedMs: (tokens / tokensPerMinute) * 60_000,
            basis: `${whole.format(tokensPerMinute)} tokens a minute`
          }
        : {
            expectedMs: (texts / documentsPerSecond) * 1000,
            basis: `measured: ${oneDigit.format(documentsPerSecond)} documents a second`
          })
    },
    batch: {
      usd: usd.batch,
      jobs,
      atMostMs: rounds * dayMs,
      ...(turnaround === null
        ? { expectedMs: jobs === 0 ? 0 : null, basis: 'no job was completed yet' }
        : { expectedMs: rounds * turnaround.medianMs, basis: `median of the last ${turnaround.jobs} jobs` })
    },
    savingUsd: usd.realtime === null || usd.batch === null ? null : usd.realtime - usd.batch
  }
}

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const oneDigit = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })
