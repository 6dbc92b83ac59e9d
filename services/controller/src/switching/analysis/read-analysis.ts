import type { Lane } from '@pointsman/core/domain/lane'
import { basisOf, type EstimateSettings } from '../../estimate/estimate-basis.ts'
import type { Pace } from '../../estimate/pace.ts'
import type { JobTerms } from '../../jobs/describe-jobs.ts'
import type { JobBook } from '../../jobs/job-book.ts'
import type { LagMonitor } from '../../lag/lag-monitor.ts'
import type { Parts } from '../../parts.ts'
import type { Switcher } from '../switcher.ts'
import { analyse } from './analyse.ts'
import type { AnalysisQuery } from './analysis-query.ts'
import type { AnalysisReport } from './analysis-report.ts'

export interface AnalysisDeps {
  readonly parts: Pick<Parts, 'spec'>
  readonly monitor: Pick<LagMonitor, 'look'>
  readonly switcher: Pick<Switcher, 'history' | 'standby'>
  readonly jobs: Pick<JobBook, 'past'>
  readonly jobTerms: JobTerms
  readonly pace: Pick<Pace, 'documentsPerSecond'>
  readonly estimateSettings: EstimateSettings
  /** Aborted when the controller stops. */
  readonly stopping: AbortSignal
}

/** As many past switches tell how long a cut takes. */
const pastSwitches = 50

/**
 * Reads what is, and says what a switch would do. Changes nothing.
 * @throws {Failure} of the ports.
 */
export async function readAnalysis(
  target: Lane,
  wish: AnalysisQuery,
  deps: AnalysisDeps
): Promise<AnalysisReport> {
  const { estimateSettings, jobs, jobTerms, monitor, pace, parts, stopping, switcher } = deps
  const [{ report: lag, survey }, realtime, batch, history, pastJobs] = await Promise.all([
    monitor.look(stopping),
    switcher.standby('realtime'),
    switcher.standby('batch'),
    switcher.history(pastSwitches, stopping),
    jobs.past()
  ])
  const basis = basisOf({
    model: parts.spec.model,
    prices: jobTerms.prices,
    settings: estimateSettings,
    documentsPerSecond: pace.documentsPerSecond,
    pastJobs
  })
  return analyse({ target, wish, survey, lag, standby: { realtime, batch }, history, basis, jobTerms })
}
