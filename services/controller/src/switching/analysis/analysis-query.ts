import { z } from 'zod'
import { strategy } from '../switch-report.ts'

/** What GET /v1/analysis/{mode} is asked besides the mode: the shape of the switch that it is about. */
export const analysisQuery = z.object({
  strategy: strategy.default('detach'),
  share: z.coerce
    .number()
    .gt(0)
    .lte(1)
    .default(1)
    .describe('of the partitions, in the target lane afterwards: a gradual cutover'),
  deadlineMs: z.coerce
    .number()
    .int()
    .min(1000)
    .max(7 * 86_400_000)
    .default(600_000)
    .describe('the switch is aborted when it has not cut by then')
})
export type AnalysisQuery = z.output<typeof analysisQuery>
