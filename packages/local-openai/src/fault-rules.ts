import { z } from 'zod'
import { jobKinds } from './batches/job-fault-kinds.ts'
import { lineKinds } from './batches/line-fault-kinds.ts'
import { answerKinds } from './fault-answer-kinds.ts'
import { refusals, viewKinds, wireKinds } from './fault-request-kinds.ts'
import { findMisplaced } from './fault-when.ts'
import { fileKinds } from './files/file-fault-kinds.ts'
import { webhookKinds } from './webhook-fault-kinds.ts'

// What can go wrong on purpose. A rule says when (fault-when.ts) and what (its kind and the kind's parameters).

const ruleSchema = z
  .discriminatedUnion('kind', [
    ...refusals,
    ...wireKinds,
    ...answerKinds,
    ...viewKinds,
    ...fileKinds,
    ...jobKinds,
    ...lineKinds,
    ...webhookKinds
  ])
  .superRefine((rule, context) => {
    for (const name of findMisplaced(rule.route, rule)) {
      context.addIssue({ code: 'custom', path: [name], message: `means nothing for the route ${rule.route}` })
    }
  })

export type FaultRule = Readonly<z.output<typeof ruleSchema>>

/** `{seed?, rules}`: the first rule that fires for a request decides; all that fire meet a job or a file. */
export const faultScriptSchema = z.strictObject({
  seed: z.number().int().default(1),
  rules: z.array(ruleSchema)
})

export type FaultPlan = z.input<typeof faultScriptSchema>
