import type { Metrics } from '@pointsman/core/runtime/metrics'
import { glanceAtJobs } from '../jobs/describe-jobs.ts'
import { jobStates } from '../jobs/job-report.ts'
import { lagStatuses } from './lag-report.ts'
import { rebuildMetrics } from '../status/rebuild-metrics.ts'
import type { LagView } from './lag-monitor.ts'
import { switchingMetrics } from './switching-metrics.ts'

const kinds = ['unread', 'gone', 'outstanding', 'doneAhead', 'uncommitted', 'expired'] as const
const stageNames = ['admitted', 'paying', 'inJobs', 'waiting', 'unaccounted'] as const

/** Returns what publishes each reading. Unknown values are not published: no number is better than a wrong one. */
export function lagMetrics(metrics: Metrics, jobDeadlineMs: number): (view: LagView) => void {
  const documents = metrics.gauge(
    'pointsman_lag_documents',
    'Offsets by partition and kind; see docs/operations.md',
    ['partition', 'lane', 'kind']
  )
  const byStage = metrics.gauge('pointsman_outstanding_documents', 'Outstanding documents by stage', [
    'partition',
    'lane',
    'stage'
  ])
  const position = metrics.gauge(
    'pointsman_position_offset',
    'Log start and end, frontier, watermark, committed',
    ['partition', 'lane', 'position']
  )
  const ages = metrics.gauge('pointsman_oldest_age_seconds', 'Age of the oldest record of a kind', [
    'partition',
    'kind'
  ])
  const retention = metrics.gauge(
    'pointsman_retention_left_ratio',
    'Share of the retention left to the record at W',
    ['partition']
  )
  const severity = metrics.gauge('pointsman_lag_status', '1 for the present status of a partition', [
    'partition',
    'status'
  ])
  const rates = metrics.gauge('pointsman_rate_documents_per_second', 'Documents per second', ['kind'])
  const eta = metrics.gauge(
    'pointsman_eta_seconds',
    'Until the present backlog is settled, at the present rate'
  )
  const atRisk = metrics.gauge('pointsman_inputs_at_risk', 'k: inputs that a crash now may cost twice')
  const counts = metrics.gauge('pointsman_ledger_count', 'Totals since the ledger was made', ['kind'])
  const epoch = metrics.gauge('pointsman_epoch', 'Number of the current lane assignment')

  const jobs = metrics.gauge('pointsman_jobs', 'Living jobs of the batch lane', ['state'])
  const staleJobs = metrics.gauge('pointsman_jobs_stale', 'Jobs past our own deadline')
  const jobDocuments = metrics.gauge('pointsman_job_documents_waiting', 'Documents that wait for jobs')
  const oldestJob = metrics.gauge('pointsman_job_oldest_seconds', 'Age of the oldest job; 0 without one')

  // Without labels a gauge begins, and `reset` begins again, with 0: as if all were settled.
  eta.remove()
  const publishSwitching = switchingMetrics(metrics)
  const publishRebuild = rebuildMetrics(metrics)

  return view => {
    const { report, survey } = view
    publishSwitching(view)
    publishRebuild(survey.state)
    for (const gauge of [documents, byStage, position, ages, retention, severity, rates]) gauge.reset()
    for (const p of report.partitions) {
      const labels = { partition: p.partition, lane: p.lane }
      for (const kind of kinds) documents.set({ ...labels, kind }, p[kind])
      for (const stage of stageNames) byStage.set({ ...labels, stage }, p.stages[stage])
      const { start, end, frontier, watermark } = p
      const committed = p.committed[p.lane]
      for (const [name, offset] of Object.entries({ start, end, frontier, watermark })) {
        position.set({ ...labels, position: name }, offset)
      }
      if (committed !== null) position.set({ ...labels, position: 'committed' }, committed)
      for (const [kind, ageMs] of [
        ['unsettled', p.oldestUnsettledMs],
        ['unread', p.oldestUnreadMs]
      ] as const) {
        if (ageMs !== null) ages.set({ partition: p.partition, kind }, ageMs / 1000)
      }
      if (p.retention) retention.set({ partition: p.partition }, p.retention.leftShare)
      for (const status of lagStatuses) {
        severity.set({ partition: p.partition, status }, status === p.status ? 1 : 0)
      }
    }
    for (const [kind, perSecond] of [
      ['produced', report.rates.producedPerSecond],
      ['admitted', report.rates.admittedPerSecond],
      ['settled', report.rates.settledPerSecond]
    ] as const) {
      if (perSecond !== null) rates.set({ kind }, perSecond)
    }
    if (report.etaMs === null) eta.remove()
    else eta.set(report.etaMs / 1000)
    atRisk.set(report.inputsAtRisk)
    epoch.set(survey.state.epoch)
    const glance = glanceAtJobs(survey, jobDeadlineMs)
    for (const state of jobStates) if (state !== 'archived') jobs.set({ state }, glance.states[state] ?? 0)
    staleJobs.set(glance.stale)
    jobDocuments.set(glance.documents)
    oldestJob.set((glance.oldestMs ?? 0) / 1000)
    for (const [kind, value] of Object.entries(survey.counts)) counts.set({ kind }, value)
  }
}
