import type { Metrics } from '@pointsman/core/runtime/metrics'
import type { BatchLane } from './batch-lane.ts'

/** What only this lane shows to Prometheus; totals of all instances are the controller's. */
export function observeBatch(lane: BatchLane, metrics: Metrics): void {
  const lines = metrics.gauge('pointsman_embedder_open_lines', 'Texts in the manifest that is being filled')
  const carried = metrics.gauge(
    'pointsman_embedder_manifests',
    'Manifests that this instance carries on, whatever their state'
  )
  metrics.beforeRender(() => {
    lines.set(lane.kind?.open.fill.lines ?? 0)
    carried.set(lane.kind?.manifests.running.length ?? 0)
  })
}
