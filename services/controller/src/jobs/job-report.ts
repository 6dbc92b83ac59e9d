import { z } from 'zod'

// What `pointsman jobs` and GET /v1/jobs answer. Times are milliseconds since the Unix epoch, null is "not yet" or
// "not known".

const count = z.int().nonnegative()
const timeMs = z.number().nullable()

/** From its first document to its end; `archived` is told of those that are over. */
export const jobStates = [
  'open',
  'sealed',
  'uploaded',
  'submitting',
  'submitted',
  'terminal',
  'archived'
] as const
export const jobState = z.enum(jobStates)
export type JobState = z.output<typeof jobState>

export const jobReport = z.object({
  id: z.string().describe('of the manifest'),
  state: jobState,
  status: z.string().nullable().describe("the provider's own word, as last seen"),
  batchId: z.string().nullable(),
  inputFileId: z.string().nullable(),
  creates: count.describe('create calls journalled so far'),
  lines: z.object({
    all: count.describe('texts in the input file; 0 until it is written'),
    done: count,
    failed: count
  }),
  documents: count.describe('documents that wait for it'),
  tokens: count.describe('of all lines; 0 until the input file is written'),
  paidTokens: count.describe('charged, by the lines read so far'),
  usd: z.number().nullable().describe('of paidTokens; null when the price of the model is not known'),
  expectedUsd: z.number().nullable().describe('of tokens'),
  sinceMs: z.number().describe('when its first document was admitted'),
  ageMs: z.number().nonnegative(),
  submittedMs: timeMs,
  progressMs: timeMs.describe('when its status or its counts changed last'),
  endedMs: timeMs.describe('at the provider'),
  archivedMs: timeMs,
  deadlines: z
    .object({
      providerMs: z.number().describe('24 hours after it was submitted'),
      ownMs: z.number().describe('when we give up waiting for it')
    })
    .nullable()
    .describe('null until it is submitted'),
  overdue: z.boolean().describe('the provider has had its 24 hours'),
  stale: z.boolean().describe('past our own deadline'),
  notBeforeMs: timeMs.describe('the provider was full: not sent again before'),
  order: z.enum(['cancel', 'abandon']).nullable().describe('what an operator has asked for'),
  reason: z.string(),
  owner: z.string().nullable(),
  instance: z.string().nullable(),
  ownerAlive: z.boolean(),
  next: z.string().describe('what will happen next, in words')
})
export type JobReport = z.output<typeof jobReport>

export const jobList = z.object({
  live: z.array(jobReport).describe('oldest first'),
  past: z.array(jobReport).describe('latest first')
})
export type JobList = z.output<typeof jobList>

/** What abandoning a job may cost. */
export const abandonment = z.object({
  job: jobReport,
  ordered: z.boolean().describe('false: this was a dry run'),
  documents: count.describe('documents that are then paid for by somebody else'),
  texts: count.describe('texts that may be paid for twice'),
  tokens: count.describe('tokens that may be paid for twice'),
  usd: z.number().nullable().describe('of those, at the price of the batch lane')
})
export type Abandonment = z.output<typeof abandonment>

/** The batch lane at a glance, for `status` and the metrics. */
export const jobsAtAGlance = z.object({
  states: z.record(z.string(), count).describe('living jobs by state'),
  documents: count.describe('documents that wait for jobs'),
  oldestMs: z.number().nullable().describe('age of the oldest job; null without one'),
  stale: count.describe('jobs past our own deadline')
})
export type JobsAtAGlance = z.output<typeof jobsAtAGlance>
