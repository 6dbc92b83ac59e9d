import { z } from 'zod'
import type { StatusReport } from '../../services/controller/src/status/status-report.ts'
import type { RunFile } from '../../services/controller/src/cli/run-file.ts'

/** What has been paid for up to a moment. */
export interface Bill {
  readonly paidTokens: number
  /** Tokens of the inputs paid for, each counted once. */
  readonly necessaryTokens: number
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
    return { paidTokens: status.spend?.paidTokens ?? 0, necessaryTokens: status.spend?.necessaryTokens ?? 0 }
  }
  const response = await fetch(new URL('/_local/bill', openai), { signal })
  const { realtime, batch, distinctTokens } = localBill.parse(await response.json())
  return { paidTokens: realtime.tokens + batch.tokens, necessaryTokens: distinctTokens }
}

export function billBetween(before: Bill, after: Bill): Bill {
  return {
    paidTokens: after.paidTokens - before.paidTokens,
    necessaryTokens: after.necessaryTokens - before.necessaryTokens
  }
}
