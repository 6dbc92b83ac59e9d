import type { Lane } from '@pointsman/core/domain/lane'
import type { Survey } from '@pointsman/core/ports/ledger'
import type { EstimateBasis } from '../../estimate/estimate-basis.ts'
import type { JobTerms } from '../../jobs/describe-jobs.ts'
import type { LagReport } from '../../lag/lag-report.ts'
import type { Standby, SwitchHistory } from '../switch-report.ts'
import type { AnalysisQuery } from './analysis-query.ts'

/** All that an analysis is made from. */
export interface AnalysisFacts {
  readonly target: Lane
  readonly wish: AnalysisQuery
  readonly survey: Survey
  /** Of the same moment as the survey. */
  readonly lag: Pick<LagReport, 'partitions'>
  readonly standby: Readonly<Record<Lane, Standby>>
  readonly history: Pick<SwitchHistory, 'current' | 'switches'>
  readonly basis: EstimateBasis
  readonly jobTerms: JobTerms
}
