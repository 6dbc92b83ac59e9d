import type { Obligation, Survey } from '@pointsman/core/ports/ledger'
import { documentsOf } from '../jobs/manifests.ts'
import type { WaitingOrphans } from './lag-report.ts'

/** Orphans with documents of this partition, or of any. Pure. */
export function waitingOrphans(
  { obligations, nowMs }: Pick<Survey, 'obligations' | 'nowMs'>,
  partition?: number
): WaitingOrphans {
  const waitingIn = (orphan: Obligation): number =>
    partition === undefined ? documentsOf(orphan) : (orphan.parts.get(partition) ?? 0)
  const orphans = obligations
    .filter(obligation => obligation.kind === 'orphan' && waitingIn(obligation) > 0)
    .toSorted((a, b) => a.sinceMs - b.sinceMs)
  const resting = orphans.filter(({ notBeforeMs }) => notBeforeMs > nowMs)
  const all = orphans.reduce((sum, orphan) => sum + waitingIn(orphan), 0)
  const rest = resting.reduce((sum, orphan) => sum + waitingIn(orphan), 0)
  return {
    adoptable: all - rest,
    resting: rest,
    soonestMs: resting.reduce<number | null>((soonest, { notBeforeMs }) => {
      const leftMs = notBeforeMs - nowMs
      return soonest === null || leftMs < soonest ? leftMs : soonest
    }, null),
    reason: orphans.at(0)?.reason ?? null
  }
}
