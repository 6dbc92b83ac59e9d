import type { Metrics } from '@pointsman/core/runtime/metrics'
import type { SwitchReport } from './switch-report.ts'

const cutSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 10, 60, 600, 3600]

/** Returns what counts each switch that ends. */
export function switchMetrics(metrics: Metrics): (report: SwitchReport) => void {
  const ended = metrics.counter(
    'pointsman_switches_total',
    'Switches that this controller brought to an end',
    ['result', 'strategy', 'target']
  )
  const took = metrics.histogram(
    'pointsman_switch_seconds',
    'From the acceptance of a switch to its cut',
    cutSeconds,
    ['strategy']
  )
  return ({ state, strategy, target, tookMs }) => {
    ended.inc({ result: state, strategy, target })
    if (state === 'completed' && tookMs !== null) took.observe({ strategy }, tookMs / 1000)
  }
}
