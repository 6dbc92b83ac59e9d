import { z } from 'zod'
import { costOf, pricesOf } from '../../services/controller/src/status/token-price.ts'
import type { StatusReport } from '../../services/controller/src/status/status-report.ts'
import type { RunFile } from '../../services/controller/src/cli/run-file.ts'

/** What has been paid for up to a moment, or between two. */
export interface Bill {
  readonly realtimeTokens: number
  readonly batchTokens: number
  /** Tokens of the inputs paid for, each counted once. */
  readonly necessaryTokens: number
}

/** US dollars. */
export interface Costs {
  readonly usd: number
  /** What the same tokens cost when all of them are sent in realtime. */
  readonly allRealtimeUsd: number
  readonly savedUsd: number
}

const localBill = z.object({
  realtime: z.object({ tokens: z.number() }),
  batch: z.object({ tokens: z.number() }),
  distinctTokens: z.number()
})

/**
 * The bill of the local server, which nobody but itself can write; with a real provider there is none to be had at
 * once, so the ledger's own counts have to do.
 */
export async function readBill(
  { openai }: Pick<RunFile, 'openai'>,
  isLocal: boolean,
  status: StatusReport,
  signal: AbortSignal
): Promise<Bill> {
  if (!isLocal) {
    const { paidTokens = 0, paidInJobs = 0, necessaryTokens = 0 } = status.spend ?? {}
    const batchTokens = paidInJobs ?? 0
    return { realtimeTokens: paidTokens - batchTokens, batchTokens, necessaryTokens }
  }
  const response = await fetch(new URL('/_local/bill', openai), { signal })
  const { realtime, batch, distinctTokens } = localBill.parse(await response.json())
  return { realtimeTokens: realtime.tokens, batchTokens: batch.tokens, necessaryTokens: distinctTokens }
}

export function billBetween(before: Bill, after: Bill): Bill {
  return {
    realtimeTokens: after.realtimeTokens - before.realtimeTokens,
    batchTokens: after.batchTokens - before.batchTokens,
    necessaryTokens: after.necessaryTokens - before.necessaryTokens
  }
}

/** @returns undefined when the price of the model is not known. */
export function costsOf(
  { realtimeTokens, batchTokens }: Bill,
  model: string,
  usdPerMillionTokens: number | undefined
): Costs | undefined {
  const prices = pricesOf(model, usdPerMillionTokens)
  const allRealtimeUsd = costOf(realtimeTokens + batchTokens, prices.realtime)
  const inRealtimeUsd = costOf(realtimeTokens, prices.realtime)
  const inJobsUsd = costOf(batchTokens, prices.batch)
  if (allRealtimeUsd === undefined || inRealtimeUsd === undefined || inJobsUsd === undefined) return undefined
  const usd = inRealtimeUsd + inJobsUsd
  return { usd, allRealtimeUsd, savedUsd: allRealtimeUsd - usd }
}
