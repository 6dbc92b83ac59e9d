import { lanes } from '@pointsman/core/domain/lane'
import type { Metrics } from '@pointsman/core/runtime/metrics'
import type { LagView } from './lag-monitor.ts'

/** Returns what publishes how each reading finds the lanes, the last switch and what waits to be adopted. */
export function switchingMetrics(metrics: Metrics): (view: LagView) => void {
  const partitionLane = metrics.gauge('pointsman_partition_lane', '1 for the lane of a partition', [
    'partition',
    'lane'
  ])
  const draining = metrics.gauge('pointsman_draining', '1 while a switch waits until its old lane is empty')
  const standbyReady = metrics.gauge(
    'pointsman_standby_ready',
    '1 when the instances of a lane could take over now',
    ['lane']
  )
  const handoffEpoch = metrics.gauge('pointsman_handoff_epoch', 'Epoch of the last switch')
  const handoffSeconds = metrics.gauge(
    'pointsman_handoff_seconds',
    'From the cut of the last switch to the first admission in the new lane',
    ['partition']
  )
  const orphans = metrics.gauge(
    'pointsman_orphan_documents',
    'Documents that wait to be adopted: adoptable now, or resting for a while',
    ['partition', 'kind']
  )
  // Without labels a gauge begins, and `reset` begins again, with 0: as if there had been a switch of that epoch.
  handoffEpoch.remove()

  return ({ report, survey, standbys }) => {
    for (const gauge of [partitionLane, handoffSeconds, orphans]) gauge.reset()
    for (const p of report.partitions) {
      const { partition } = p
      for (const lane of lanes) partitionLane.set({ partition, lane }, lane === p.lane ? 1 : 0)
      orphans.set({ partition, kind: 'adoptable' }, p.orphans.adoptable)
      orphans.set({ partition, kind: 'resting' }, p.orphans.resting)
      const admittedAfterMs = p.handoff?.admittedAfterMs ?? null
      if (admittedAfterMs !== null) handoffSeconds.set({ partition }, admittedAfterMs / 1000)
    }
    draining.set(report.draining === null ? 0 : 1)
    for (const lane of lanes) standbyReady.set({ lane }, standbys[lane].ready ? 1 : 0)
    if (survey.state.handoff === undefined) handoffEpoch.remove()
    else handoffEpoch.set(survey.state.handoff.epoch)
  }
}
