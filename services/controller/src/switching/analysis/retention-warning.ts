import { formatDuration } from '../../cli/format.ts'
import type { AnalysisFacts } from './analysis-facts.ts'
import type { AnalysisReport, StrategyOutlook, Warning } from './analysis-report.ts'

/** So many times as long as admission may stop has to be left. */
const margin = 2

/** While a drain waits nothing is admitted, and the log forgets: whether what is left of its retention bears that. */
export function retentionWarning(
  { deadlineMs, strategies }: Pick<AnalysisReport, 'deadlineMs' | 'strategies'>,
  { lag }: Pick<AnalysisFacts, 'lag'>
): Warning | undefined {
  const drain = strategies.find(({ strategy }) => strategy === 'drain')
  const [first] = lag.partitions
    .flatMap(({ partition, retention }) => (retention ? [{ partition, leftMs: retention.leftMs }] : []))
    .toSorted((a, b) => a.leftMs - b.leftMs)
  if (drain === undefined || first === undefined || !waits(drain)) return undefined
  const stopsMs = Math.min(deadlineMs, drain.cut?.latestMs ?? deadlineMs)
  if (first.leftMs >= margin * stopsMs) return undefined
  const left = formatDuration(Math.max(0, first.leftMs))
  return {
    code: 'RETENTION_SHORT',
    strategies: ['drain'],
    text: `the oldest unfinished record of partition ${first.partition} expires in ${left}, and a drain may stop admission for ${formatDuration(stopsMs)}`,
    remedy: 'take detach, which stops nothing, or lengthen retention.ms of the documents topic first'
  }
}

/** Whether anything has to end before the cut. */
function waits({ waitedFor }: StrategyOutlook): boolean {
  return waitedFor.requests + waitedFor.jobs.length > 0
}
