import { z } from 'zod'
import { answerKinds } from '../fault-answer-kinds.ts'
import { jobKinds } from './job-fault-kinds.ts'
import { lineKinds } from './line-fault-kinds.ts'

const ruleSchema = z.discriminatedUnion('kind', [...jobKinds, ...lineKinds, ...answerKinds])

/** A rule that was drawn for a job and stays with it, also over restarts. */
export const jobFaultSchema = z.object({
  /** Names the rule among all that were ever set. */
  key: z.string(),
  /** Of what is drawn for the lines of this job. */
  seed: z.number().int(),
  rule: ruleSchema
})

export type JobFault = Readonly<z.output<typeof jobFaultSchema>>
export type JobFaultRule = JobFault['rule']

/** The rule of that kind, if the job has one. */
export function findJobFault<Kind extends JobFaultRule['kind']>(
  faults: readonly JobFault[],
  kind: Kind
): Extract<JobFaultRule, { readonly kind: Kind }> | undefined {
  return faults
    .map(({ rule }) => rule)
    .find((rule): rule is Extract<JobFaultRule, { readonly kind: Kind }> => rule.kind === kind)
}
