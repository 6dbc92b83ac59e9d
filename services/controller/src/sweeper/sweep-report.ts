import { z } from 'zod'

const count = z.int().nonnegative()

/** What the sweeper of this controller has done since it was started. */
export const sweepReport = z.object({
  resting: z.string().describe('why it does nothing now; empty while it walks'),
  walks: count.describe('through the whole index'),
  objects: count.describe('looked at in the present walk'),
  endedMs: z.number().nullable().describe('when the last walk ended'),
  removed: z
    .object({
      outlived: count.describe('objects of an older content than the ledger has indexed'),
      deleted: count.describe('objects of a deleted document')
    })
    .describe('what writers that were presumed dead have left'),
  corrected: count.describe('documents that were given up, and whose object is there after all')
})
export type SweepReport = z.output<typeof sweepReport>
