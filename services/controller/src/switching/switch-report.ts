import { z } from 'zod'
import { shortText } from '../short-text.ts'

// What `pointsman switch` and /v1/switches take and answer. Times are milliseconds since the Unix epoch.

const count = z.int().nonnegative()

export const lane = z.enum(['realtime', 'batch'])
export const strategy = z
  .enum(['detach', 'drain', 'force'])
  .describe(
    'detach: cut at once, what was sent goes on in the background; drain: admit nothing until no request or job of the ' +
      'old lane is left, then cut; force: cut at once and cancel jobs, of which what is finished is kept'
  )

const switchId = z
  .string()
  .regex(
    /^(?!(current|rollback)$)[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/,
    'letters, digits and . _ : - only, at most 100; not current or rollback, which are calls'
  )
  .describe('names the request: whoever repeats it gets the answer of the first, and nothing is done twice')

/** What part of a switch an analysis is about too. */
export const switchShape = z
  .object({
    target: lane,
    strategy: strategy.default('detach'),
    share: z
      .number()
      .gt(0)
      .lte(1)
      .default(1)
      .describe('of the partitions, in the target lane afterwards: a gradual cutover')
  })
  .strict()
export type SwitchShape = z.output<typeof switchShape>

export const switchWish = switchShape
  .extend({
    switchId: switchId.optional(),
    expectedEpoch: count.optional().describe('refuse when the lanes were switched since'),
    deadlineMs: z
      .int()
      .min(1000)
      .max(7 * 86_400_000)
      .default(600_000)
      .describe('aborted when it has not cut by then'),
    evenIfUnready: z.boolean().default(false).describe('also when nobody is ready to serve the target lane'),
    reason: shortText(200).default('no reason given'),
    actor: shortText(100).default('api').describe('who asks, for the history')
  })
  .strict()
export type SwitchWish = z.output<typeof switchWish>

/** Back to the lanes before the last switch. */
export const rollbackWish = switchWish.pick({
  actor: true,
  evenIfUnready: true,
  reason: true,
  switchId: true
})
export type RollbackWish = z.output<typeof rollbackWish>

/**
 * - `pending`   recorded, not begun.
 * - `draining`  waits for the old lane to become empty; nothing is admitted meanwhile.
 * - `completed`, `aborted`, `refused` as in the control log.
 * - `unchanged` the target lane has that share already: nothing was recorded.
 */
export const switchState = z.enum(['pending', 'draining', 'completed', 'aborted', 'refused', 'unchanged'])
export type SwitchState = z.output<typeof switchState>

export const switchReport = z.object({
  switchId: z.string(),
  state: switchState,
  because: z.string().describe('how it ended or what it waits for, in words'),
  epoch: count.describe('of this switch: current from the cut on'),
  expectedEpoch: count,
  target: lane,
  strategy,
  share: z.number(),
  partitions: z.array(count).describe('that change their lane'),
  actor: z.string(),
  reason: z.string(),
  acceptedMs: z.number(),
  deadlineAtMs: z.number(),
  endedMs: z.number().nullable(),
  tookMs: z.number().nullable().describe('from acceptance to the cut, or to its other end'),
  released: count.describe('documents taken out of manifests that had not been sent'),
  cancelled: count.describe('jobs that are to be cancelled'),
  frontiers: z.record(z.string(), count).describe('H: next offset to be admitted at the cut, by partition'),
  left: z
    .object({ requests: count, jobs: count, documents: count })
    .nullable()
    .describe('what a draining switch waits for')
})
export type SwitchReport = z.output<typeof switchReport>

export const switchHistory = z.object({
  epoch: count.describe('the current one'),
  current: switchReport.nullable().describe('under way'),
  switches: z.array(switchReport).describe('that have ended, the latest first')
})
export type SwitchHistory = z.output<typeof switchHistory>

/** Whether the instances of a lane could take over at once. */
export const standby = z.object({
  lane,
  ready: z.boolean(),
  reasons: z.array(z.string()).describe('why not, each with its remedy'),
  instances: z.array(z.object({ instance: z.string(), alive: z.boolean(), trouble: z.string() })),
  group: z.object({
    name: z.string(),
    state: z.string(),
    members: count,
    unassigned: z.array(count).describe('partitions that no member of the group has')
  })
})
export type Standby = z.output<typeof standby>
