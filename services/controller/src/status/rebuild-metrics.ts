import type { LedgerState } from '@pointsman/core/ports/ledger'
import type { Metrics } from '@pointsman/core/runtime/metrics'
import { rebuildReport } from './rebuild-report.ts'

const { options: stages } = rebuildReport.shape.stage

/** Returns what publishes how far a rebuild of the ledger is; all are 0 when there is none. */
export function rebuildMetrics(metrics: Metrics): (state: Pick<LedgerState, 'rebuild'>) => void {
  const present = metrics.gauge('pointsman_ledger_rebuild', '1 for the present stage of a rebuild', ['stage'])
  const done = metrics.gauge('pointsman_ledger_rebuild_done', 'Objects, records or jobs done in the stage')
  const total = metrics.gauge('pointsman_ledger_rebuild_total', 'Of so many, as far as it is known')
  return ({ rebuild }) => {
    for (const stage of stages) present.set({ stage }, rebuild?.stage === stage ? 1 : 0)
    done.set(rebuild?.done ?? 0)
    total.set(rebuild?.total ?? 0)
  }
}
