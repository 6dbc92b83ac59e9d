import { z } from 'zod'
import { jobsAtAGlance } from '../jobs/job-report.ts'
import { lagReport } from '../lag/lag-report.ts'
import { standby } from '../switching/switch-report.ts'
import { sweepReport } from '../sweeper/sweep-report.ts'
import { rebuildReport } from './rebuild-report.ts'

// What `pointsman status` and GET /v1/status answer. What cannot be known now, because a part is away, is null.

const count = z.int().nonnegative()

export const partHealth = z.object({
  name: z.string(),
  state: z.enum(['starting', 'ready', 'away', 'unfit']),
  reason: z.string(),
  sinceMs: z.number()
})

export const statusReport = z.object({
  namespace: z.string(),
  version: z.string(),
  atMs: z.number(),
  ready: z.boolean(),
  parts: z.array(partHealth),
  model: z.object({ name: z.string(), dimensions: count }),
  ledger: z
    .object({
      id: z.string(),
      epoch: count,
      phase: z.enum(['stable', 'draining', 'rebuilding']),
      mode: z.enum(['realtime', 'batch', 'mixed']),
      partitions: z.object({ realtime: count, batch: count }),
      pause: z.object({ reason: z.string(), actor: z.string(), sinceMs: z.number() }).nullable(),
      counts: z.record(z.string(), z.number()),
      rebuild: rebuildReport.nullable()
    })
    .nullable(),
  instances: z.array(
    z.object({
      instance: z.string(),
      service: z.string(),
      alive: z.boolean(),
      leaseLeftMs: z.number(),
      trouble: z.string().describe('why it could not work when it was heard last; empty when it could')
    })
  ),
  standby: z
    .array(standby)
    .describe('the lanes that a switch could go to: those that do not have all partitions already'),
  lag: lagReport.omit({ partitions: true }).nullable(),
  spend: z
    .object({
      paidTokens: z.number(),
      necessaryTokens: z.number(),
      paidInJobs: z
        .number()
        .nullable()
        .describe(
          'of those, in jobs of the batch lane, as far as the ledger remembers: the last thousand jobs'
        ),
      usd: z.number().nullable().describe('null when the price of the model is not known')
    })
    .nullable(),
  jobs: jobsAtAGlance.nullable(),
  index: z.object({ objects: count, unindexed: count }).nullable(),
  sweeper: sweepReport,
  deadLetters: count.nullable().describe('documents given up since the ledger was made')
})
export type StatusReport = z.output<typeof statusReport>
