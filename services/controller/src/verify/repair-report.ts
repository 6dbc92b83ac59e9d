import { z } from 'zod'

// What was done about the differences that a verify had found.

const count = z.int().nonnegative()

/**
 * - `expired`    the log no longer keeps the record of the newest version: ingest the document again.
 * - `open`       the ledger calls it open, and nothing is under way: only a rebuild of the ledger mends that.
 * - `ahead`      an object of a generation that the ledger does not know yet: it may be about to.
 * - `unknown`    so many objects that neither log nor ledger knows that the index may belong to somebody else.
 * - `moved`      the document changed while it was looked at: look again.
 */
export const leftReasons = ['expired', 'open', 'ahead', 'unknown', 'moved'] as const
export type LeftReason = (typeof leftReasons)[number]

const left = z.object({ count, examples: z.array(z.string()).describe('documents') })

export const repairReport = z.object({
  found: z
    .object({
      lost: count,
      missing: count,
      duplicate: count,
      stale: count,
      surplus: count,
      mismatch: count
    })
    .describe('differences before the repair'),
  requeued: count.describe('documents whose newest record was produced again: the active lane indexes them'),
  removed: count.describe('objects that should not have been there'),
  corrected: count.describe('entries of the ledger'),
  lettered: count.describe('dead letters written for unreadable records that had none'),
  left: z
    .object({ expired: left, open: left, ahead: left, unknown: left, moved: left })
    .describe('what was not mended, by reason')
})
export type RepairReport = z.output<typeof repairReport>
