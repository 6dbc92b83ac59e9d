import { otherLane } from '@pointsman/core/domain/lane'
import type { AnalysisFacts } from './analysis-facts.ts'
import type { AnalysisReport, Prospect } from './analysis-report.ts'
import { analyseBacklog } from './analyse-backlog.ts'
import { analyseJobs } from './analyse-jobs.ts'
import { inFlight } from './in-flight.ts'
import { planOutlook } from './plan-outlook.ts'
import { recommend } from './recommend.ts'
import { strategyOutlook } from './strategy-outlook.ts'
import { warningsOf } from './warnings.ts'

/** What a switch would do now, with each strategy, and which to take. Changes nothing. Pure. */
export function analyse(facts: AnalysisFacts): AnalysisReport {
  const { basis, standby, survey, target, wish } = facts
  const lanes = [...survey.state.partitions].toSorted(([a], [b]) => a - b)
  const { moving, refusal } = planOutlook(facts, 'detach')
  const jobs = analyseJobs(facts)
  const backlog = analyseBacklog(facts, moving)
  const realtime = lanes.filter(([, { lane }]) => lane === 'realtime').length
  const prospect: Prospect = {
    atMs: survey.nowMs,
    epoch: survey.state.epoch,
    target,
    strategy: wish.strategy,
    share: wish.share,
    deadlineMs: wish.deadlineMs,
    unchanged: refusal === null && moving.length === 0,
    partitions: {
      moving: [...moving],
      staying: lanes.map(([partition]) => partition).filter(partition => !moving.includes(partition)),
      realtime,
      batch: lanes.length - realtime
    },
    inFlight: inFlight(facts),
    jobs,
    turnaround: basis.batch.turnaround,
    standby: standby[target],
    otherLane: standby[otherLane(target)],
    backlog,
    strategies: (['detach', 'drain', 'force'] as const).map(strategy =>
      strategyOutlook(strategy, facts, jobs, backlog.differenceUsd)
    )
  }
  return { ...prospect, warnings: warningsOf(prospect, facts), recommendation: recommend(prospect) }
}
