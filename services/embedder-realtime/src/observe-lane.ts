import type { Metrics } from '@pointsman/core/runtime/metrics'
import type { RealtimeLane } from './realtime-lane.ts'

/** What only this lane shows to Prometheus. */
export function observeLane({ limit }: RealtimeLane, metrics: Metrics): void {
  const inFlight = metrics.gauge('pointsman_embedder_requests_in_flight', 'Embedding requests in flight now')
  const allowed = metrics.gauge(
    'pointsman_embedder_requests_allowed',
    'Embedding requests that may be in flight'
  )
  metrics.beforeRender(() => {
    inFlight.set(limit.inFlight)
    allowed.set(limit.allowed)
  })
}
