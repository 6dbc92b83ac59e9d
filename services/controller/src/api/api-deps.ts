import type { Logger } from '@pointsman/core/runtime/log'
import type { Metrics } from '@pointsman/core/runtime/metrics'
import type { DoctorReport } from '../doctor/doctor-report.ts'
import type { Pace } from '../estimate/pace.ts'
import type { EstimateSettings } from '../estimate/estimate-basis.ts'
import type { JobTerms } from '../jobs/describe-jobs.ts'
import type { JobBook } from '../jobs/job-book.ts'
import type { LagMonitor } from '../lag/lag-monitor.ts'
import type { Parts } from '../parts.ts'
import type { HealthBoard } from '../status/health-board.ts'
import type { Sweeper } from '../sweeper/sweeper.ts'
import type { Switcher } from '../switching/switcher.ts'
import type { AccessPolicy } from './access.ts'

/** What the calls of the API are answered from. */
export interface ApiDeps {
  readonly parts: Parts
  readonly monitor: LagMonitor
  readonly board: HealthBoard
  readonly metrics: Metrics
  readonly log: Logger
  readonly access: AccessPolicy
  readonly version: string
  readonly jobs: JobBook
  readonly switcher: Switcher
  readonly sweeper: Pick<Sweeper, 'report'>
  readonly jobTerms: JobTerms
  readonly pace: Pace
  readonly estimateSettings: EstimateSettings
  readonly examine: (signal: AbortSignal) => Promise<DoctorReport>
  /** Aborted when the controller stops. */
  readonly stopping: AbortSignal
}
