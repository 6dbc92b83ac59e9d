import type { StrategyOutlook } from './analysis-report.ts'

/** Whether anything has to end before the cut. */
export function waits({ waitedFor }: Pick<StrategyOutlook, 'waitedFor'>): boolean {
  return waitedFor.requests + waitedFor.jobs.length > 0
}
