import type { Metrics } from '@pointsman/core/runtime/metrics'
import type { RealtimeLane } from './realtime-lane.ts'

/** What this instance shows to Prometheus besides its process: totals of the stream are the controller's. */
export function observeLane(lane: RealtimeLane, metrics: Metrics): void {
  const inFlight = metrics.gauge('pointsman_embedder_requests_in_flight', 'Embedding requests in flight now')
  const allowed = metrics.gauge(
    'pointsman_embedder_requests_allowed',
    'Embedding requests that may be in flight'
  )
  const ready = metrics.gauge(
    'pointsman_embedder_ready',
    '1 while no gate is closed and every partition can be read'
  )
  metrics.beforeRender(() => {
    inFlight.set(lane.limit.inFlight)
    allowed.set(lane.limit.allowed)
    ready.set(lane.readiness().ready ? 1 : 0)
  })
}
