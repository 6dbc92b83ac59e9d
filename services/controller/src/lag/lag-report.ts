import { z } from 'zod'
import { rebuildReport } from '../status/rebuild-report.ts'
import { switchReport } from '../switching/switch-report.ts'

// What `pointsman lag` and GET /v1/lag answer. Counts are documents, or rather offsets of the documents topic; ages
// and times are milliseconds; null is "not known". Letters as in docs/operations.md: L log start, E log end,
// A frontier, W watermark, C committed.

const count = z.int().nonnegative()
const offset = z.int()
const ageMs = z.number().nonnegative().nullable()

/** From bad to good. A status is about one partition; that of the whole is the worst of them. */
export const lagStatuses = [
  'LOST',
  'JUMPED',
  'REWOUND',
  'REBUILDING',
  'AT_RISK',
  'STOPPED',
  'THROTTLED',
  'STALLED',
  'BLOCKED',
  'SLOW',
  'CATCHING_UP',
  'WAITING',
  'UNKNOWN',
  'OK'
] as const

export const lagStatus = z.enum(lagStatuses)
export type LagStatus = z.output<typeof lagStatus>

const stages = z
  .object({
    admitted: count.describe('admitted, nothing paid yet'),
    paying: count.describe('a paid attempt is under way'),
    inJobs: count.describe('in a job of the batch lane, from collecting to reading its results'),
    waiting: count.describe('orphans: given back, waiting to be adopted'),
    unaccounted: z
      .int()
      .describe('unsettled offsets that no obligation names; other than 0 breaks invariant I2')
  })
  .describe('outstanding documents by stage')

const blockingRecord = z.object({
  offset,
  obligation: z.string(),
  kind: z.enum(['request', 'orphan', 'manifest']),
  state: z.enum(['admitted', 'paying', 'open', 'sealed', 'uploaded', 'submitting', 'submitted', 'terminal']),
  attempts: count,
  ageMs: z.number().nonnegative(),
  reason: z.string().describe('why it was moved last; empty at first'),
  waitMs: z.number().nonnegative().describe('an orphan is not adopted before this many milliseconds')
})

const orphans = z
  .object({
    adoptable: count.describe('whose time has come; while draining or paused nobody adopts them'),
    resting: count.describe('that are left alone for a while after they failed'),
    soonestMs: ageMs.describe('until the first of those that rest may be adopted'),
    reason: z.string().nullable().describe('why the oldest was given back; empty when nothing is noted')
  })
  .describe('the documents that wait to be adopted: adoptable + resting = stages.waiting')
export type WaitingOrphans = z.output<typeof orphans>

const handoff = z.object({
  epoch: count,
  frontier: offset.describe('H: the next offset to be admitted at the cut'),
  cutMs: z.number().describe('when; time of the ledger'),
  admittedAfterMs: ageMs.describe('from the cut to the first admission in the new lane; null: none yet'),
  toAdmit: count.describe('offsets in the log from H on; 0: there was nothing to admit')
})
export type PartitionHandoff = z.output<typeof handoff>

const draining = z
  .object({
    epoch: count.describe('of the switch that waits'),
    sinceMs: z.number().describe('time of the ledger'),
    left: switchReport.shape.left.unwrap().describe('what it waits for')
  })
  .describe('a switch waits until the old lane is empty: nothing is admitted, no orphan adopted')
export type Draining = z.output<typeof draining>

const sums = {
  lag: z.int().describe('E - C = unread + gone + outstanding + doneAhead + uncommitted - beyondEnd'),
  unread: count.describe('E - max(A, L)'),
  gone: count.describe('L - A: expired before they were admitted'),
  outstanding: count.describe('offsets in [W, A) that are not finished'),
  stages,
  orphans,
  doneAhead: z.int().describe('offsets in [W, A) that are finished, holes of the log included'),
  uncommitted: z.int().describe('W - C of the group of the active lane'),
  beyondEnd: count.describe('A - E: the log is shorter than what was admitted'),
  expired: count.describe('L - W: records that are lost')
}

export const partitionLag = z.object({
  partition: z.int().nonnegative(),
  lane: z.enum(['realtime', 'batch']),
  status: lagStatus,
  because: z.string(),
  start: offset,
  end: offset,
  frontier: offset,
  watermark: offset,
  committed: z.object({ realtime: offset.nullable(), batch: offset.nullable() }),
  ...sums,
  uncommittedByGroup: z
    .object({ realtime: z.int().nullable(), batch: z.int().nullable() })
    .describe('W - C of each group, since both commit W; null for one that never committed'),
  oldestUnsettledMs: ageMs,
  oldestUnreadMs: ageMs,
  watermarkStandsMs: ageMs.describe(
    'how long W has not moved while there was work; null with fewer than 2 samples'
  ),
  blocking: blockingRecord.nullable().describe('the record at W'),
  retention: z
    .object({ leftMs: z.number(), leftShare: z.number() })
    .nullable()
    .describe('until the record at W expires; null when nothing is unfinished or records are kept for ever'),
  handoff: handoff.nullable().describe('the last switch, if it changed the lane of this partition')
})
export type PartitionLag = z.output<typeof partitionLag>

const rate = z.number().nonnegative().nullable()

export const lagReport = z.object({
  atMs: z.number(),
  status: lagStatus,
  because: z.string(),
  totals: z.object({ ...sums, oldestUnsettledMs: ageMs, oldestUnreadMs: ageMs }),
  unreadByLane: z
    .object({ realtime: count, batch: count })
    .describe('unread documents of the partitions of each lane: what embedders are scaled by'),
  rates: z.object({
    producedPerSecond: rate,
    admittedPerSecond: rate,
    settledPerSecond: rate,
    windowMs: z.number().nonnegative()
  }),
  etaMs: ageMs.describe('until all that is unread or outstanding now is settled, at the present rate'),
  inputsAtRisk: count.describe('k: inputs in requests in flight, which a crash may cost twice'),
  samples: count,
  draining: draining.nullable(),
  rebuild: rebuildReport.nullable(),
  partitions: z.array(partitionLag)
})
export type LagReport = z.output<typeof lagReport>
