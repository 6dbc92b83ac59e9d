import type { LedgerState } from '@pointsman/core/ports/ledger'
import { z } from 'zod'

const count = z.int().nonnegative()

/** How far a rebuild of the ledger is, as every answer tells it. */
export const rebuildReport = z
  .object({
    stage: z
      .enum(['waiting', 'provider', 'index', 'log', 'jobs'])
      .describe('in this order; `waiting`: no controller has begun'),
    done: count.describe('of what the stage counts: objects, records, jobs'),
    total: count.describe('as far as it is known; 0 before'),
    because: z.string(),
    sinceMs: z.number().describe('time of the ledger')
  })
  .describe('the ledger was lost and learns what was before it; nothing is admitted meanwhile')
export type RebuildReport = z.output<typeof rebuildReport>

export function rebuildOf({ rebuild }: Pick<LedgerState, 'rebuild'>): RebuildReport | null {
  return rebuild === undefined ? null : { ...rebuild }
}
