import { z } from 'zod'
import { fraction, seconds, when } from '../fault-when.ts'

// What may become of a whole job. Drawn when it is created; several may meet one job.

const ofJob = { ...when, route: z.literal('jobs').default('jobs') }

const endingEarly = {
  /** The share of its lines that run before. */
  done: fraction.default(0.5),
  /** Not before this long after the creation. */
  afterSeconds: seconds.default(0),
  /** Whether the error file tells of the lines that did not run. */
  listsRest: z.boolean().default(true)
}

export const jobKinds = [
  /** Expires, before its window is over unless `afterSeconds` says otherwise. */
  z.strictObject({ ...ofJob, ...endingEarly, kind: z.literal('job_expires') }),
  /** Is cancelled by somebody else. */
  z.strictObject({ ...ofJob, ...endingEarly, kind: z.literal('job_cancelled') }),
  /** Fails after validation with an error about no line; `not_found` says that there is no such file. */
  z.strictObject({
    ...ofJob,
    kind: z.literal('job_fails'),
    code: z.string().default('token_limit_exceeded'),
    message: z.string().optional(),
    param: z.string().nullable().optional()
  }),
  /** Stays in that status: for so long, or until it expires (finalizing: for ever) or is cancelled. */
  z.strictObject({
    ...ofJob,
    kind: z.literal('job_stuck'),
    at: z.enum(['validating', 'in_progress', 'finalizing']).default('in_progress'),
    /** The share of the lines that run before, in progress. */
    done: fraction.default(0),
    seconds: seconds.optional()
  }),
  /** Does not expire when its window is over, but so much later, or never. */
  z.strictObject({ ...ofJob, kind: z.literal('job_overdue'), seconds: seconds.optional() }),
  /** How a cancel of it goes. */
  z.strictObject({
    ...ofJob,
    kind: z.literal('job_cancel'),
    /** How long it takes: as the turnaround says unless told. */
    seconds: seconds.optional(),
    /** The share of the lines that run all the same. */
    done: fraction.default(0),
    outcome: z.enum(['cancelled', 'completed']).default('cancelled'),
    listsRest: z.boolean().default(true)
  }),
  /** Is not in the list, or answered 404 as well (`everywhere`), from then on for so long; for ever unless told. */
  z.strictObject({
    ...ofJob,
    kind: z.literal('job_hidden'),
    fromSeconds: seconds.default(0),
    seconds: seconds.optional(),
    where: z.enum(['list', 'everywhere']).default('list')
  }),
  /** The output's lines stand as in the input, the other way round, or as in the input with neighbours swapped. */
  z.strictObject({
    ...ofJob,
    kind: z.literal('output_order'),
    order: z.enum(['input', 'reversed', 'swapped']).default('reversed')
  }),
  /** The output begins with a byte order mark. */
  z.strictObject({ ...ofJob, kind: z.literal('output_bom') }),
  /** The last line ends without a line feed. */
  z.strictObject({
    ...ofJob,
    kind: z.literal('output_unterminated'),
    file: z.enum(['output', 'error', 'both']).default('both')
  })
] as const
