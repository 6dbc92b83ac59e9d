import { openHealthServer, type Readiness } from '../runtime/health-server.ts'
import { Metrics } from '../runtime/metrics.ts'
import type { LaneSettings } from '../runtime/settings.ts'

export interface ServedLane {
  readiness(): Readiness
  run(signal: AbortSignal): Promise<void>
}

/**
 * Runs a lane, with health and metrics beside it when there is a port for them.
 * @param observe - adds what this lane alone shows to Prometheus; totals of the stream are the controller's.
 */
export async function serveLane(
  lane: ServedLane,
  service: string,
  { HEALTH_HOST, HEALTH_PORT }: Pick<LaneSettings, 'HEALTH_HOST' | 'HEALTH_PORT'>,
  observe: (metrics: Metrics) => void,
  signal: AbortSignal
): Promise<void> {
  await using resources = new AsyncDisposableStack()
  if (HEALTH_PORT > 0) {
    const metrics = new Metrics(service)
    const readiness = (): Readiness => lane.readiness()
    const ready = metrics.gauge(
      'pointsman_embedder_ready',
      '1 while no gate is closed and every partition can be read'
    )
    metrics.beforeRender(() => ready.set(readiness().ready ? 1 : 0))
    observe(metrics)
    resources.use(await openHealthServer({ host: HEALTH_HOST, port: HEALTH_PORT, metrics, readiness }))
  }
  await lane.run(signal)
}
