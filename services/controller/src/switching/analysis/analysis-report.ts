import { z } from 'zod'
import { jobReport } from '../../jobs/job-report.ts'
import { lane, standby, strategy } from '../switch-report.ts'

// What `pointsman analyze`, `pointsman switch --dry-run` and GET /v1/analysis/{mode} answer. Times are milliseconds since
// the Unix epoch, null is "not known". Money is US dollars at list price.

const count = z.int().nonnegative()
const usd = z.number().nullable()
const tokens = z.number().nonnegative().nullable()
const timeMs = z.number().nullable()
const spanMs = z.number().nonnegative().nullable()

/** In the order in which a document passes them; `waiting` is aside. */
export const stageNames = [
  'unread',
  'admitted',
  'paying',
  'open',
  'sealed',
  'uploaded',
  'submitting',
  'submitted',
  'terminal',
  'waiting'
] as const

const stage = z.object({
  stage: z
    .enum(stageNames)
    .describe(
      'unread: in the log; admitted, paying: in requests; open to terminal: in jobs of the batch lane; waiting: orphans'
    ),
  obligations: count.describe('requests, jobs or orphans; 0 for what is unread'),
  documents: count,
  tokens: tokens.describe('known of jobs whose input file is written')
})
export type Stage = z.output<typeof stage>

const analysedJob = jobReport
  .pick({
    id: true,
    batchId: true,
    state: true,
    lines: true,
    documents: true,
    ageMs: true,
    submittedMs: true,
    stale: true,
    order: true
  })
  .extend({
    tokens: tokens.describe('of all lines; null until the input file is written'),
    nearlyDone: z.boolean().describe('at the provider, and 90 % of its lines are done'),
    expectedEndMs: timeMs.describe('by the jobs that are over; null when they tell nothing'),
    latestEndMs: timeMs.describe(
      'when we give up waiting for it; null when that has passed, or it is not sealed'
    )
  })
export type AnalysedJob = z.output<typeof analysedJob>

const costChange = z.object({
  documents: count,
  tokens: tokens.describe('reckoned from the documents finished so far where they are not known'),
  nowUsd: usd.describe('at the prices of the lanes they are in'),
  thenUsd: usd.describe('at the prices of the lanes they come into'),
  differenceUsd: usd.describe('above 0: the switch makes them dearer')
})
export type CostChange = z.output<typeof costChange>

const laneEstimate = z.object({ usd, expectedMs: spanMs, basis: z.string() })

const backlog = z
  .object({
    documents: count,
    tokens,
    tokensPerDocument: tokens.describe('to be paid for, mean of the documents finished so far'),
    realtime: laneEstimate,
    batch: laneEstimate,
    differenceUsd: usd.describe('above 0: the switch makes them dearer')
  })
  .describe('unread documents of the partitions that move, in either lane')
export type Backlog = z.output<typeof backlog>

const work = z.object({
  requests: count,
  jobs: z.array(z.string()),
  documents: count,
  expectedEndMs: timeMs.describe('of the last of them'),
  latestEndMs: timeMs
})
export type Work = z.output<typeof work>

const cut = z.object({
  expectedMs: spanMs.describe('from the command to the cut'),
  latestMs: spanMs,
  beforeDeadline: z.boolean().nullable().describe('false: it would be aborted'),
  basis: z.string().describe('where this comes from, in words')
})
export type Cut = z.output<typeof cut>

const strategyOutlook = z.object({
  strategy,
  possible: z.boolean().describe('whether it would be accepted as things are now'),
  refusal: z.object({ code: z.string(), detail: z.string() }).nullable().describe('why not, with the remedy'),
  cut: cut.nullable().describe('null: nothing would be changed'),
  waitedFor: work.describe('what has to end before the cut; nothing is admitted meanwhile'),
  goingOn: work.describe('what ends in the background after the cut'),
  released: z
    .object({
      jobs: z.array(z.string()),
      documents: count,
      toTarget: count.describe('of these, documents that the target lane takes over')
    })
    .describe('jobs that were not sent, and are taken apart'),
  cancelled: z
    .object({
      jobs: z.array(z.string()),
      linesKept: count.describe('done: they are not paid for again'),
      linesAnew: count.describe('at most: paid for in the target lane'),
      tokensAnew: tokens,
      anewUsd: usd.describe('at the price of the target lane'),
      atMostTwice: z
        .object({ lines: count, tokens, usd })
        .describe(
          'lines that the provider may have finished, though it has not counted them: charged twice if it does not deliver them'
        )
    })
    .describe('jobs at the provider that are ended early'),
  moves: costChange.describe('what is admitted already and comes into the target lane'),
  differenceUsd: usd.describe('of the unread backlog and of what moves; above 0: the switch costs more')
})
export type StrategyOutlook = z.output<typeof strategyOutlook>

export const warningCodes = [
  'NO_PARTITIONS',
  'SWITCH_UNDER_WAY',
  'SHARE_FALLS',
  'STANDBY_NOT_READY',
  'OTHER_LANE_AWAY',
  'PAUSED',
  'STALE_JOBS',
  'NEARLY_DONE',
  'FORCE_GAINS_NOTHING',
  'WAITING_ORPHANS',
  'DRAIN_TOO_LONG',
  'RETENTION_SHORT',
  'PRICE_UNKNOWN'
] as const
export type WarningCode = (typeof warningCodes)[number]

const warning = z.object({
  code: z.enum(warningCodes),
  strategies: z.array(strategy).describe('that it is about'),
  text: z.string(),
  remedy: z.string()
})
export type Warning = z.output<typeof warning>

const recommendation = z.object({
  strategy: strategy.nullable().describe('null: do not switch now'),
  reason: z.string()
})
export type Recommendation = z.output<typeof recommendation>

export const analysisReport = z.object({
  atMs: z.number(),
  epoch: count,
  target: lane,
  strategy: strategy.describe('that was asked about; all are told of'),
  share: z.number(),
  deadlineMs: z.number(),
  unchanged: z.boolean().describe('the target lane has that share already'),
  partitions: z.object({
    moving: z.array(count),
    staying: z.array(count),
    realtime: count.describe('in the realtime lane now'),
    batch: count
  }),
  inFlight: z.array(stage),
  jobs: z.array(analysedJob).describe('oldest first'),
  turnaround: z
    .object({ jobs: count, medianMs: z.number(), longestMs: z.number() })
    .nullable()
    .describe('of jobs that were completed, from submission to end; null: none was yet'),
  standby: standby.describe('of the target lane'),
  otherLane: standby,
  backlog,
  strategies: z.array(strategyOutlook),
  warnings: z.array(warning).describe('the gravest first'),
  recommendation
})
export type AnalysisReport = z.output<typeof analysisReport>
/** What is judged by warnings and recommendation. */
export type Prospect = Omit<AnalysisReport, 'warnings' | 'recommendation'>
