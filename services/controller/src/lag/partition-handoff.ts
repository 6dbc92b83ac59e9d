import type { LogBounds } from '@pointsman/core/ports/event-log'
import type { Handoff } from '@pointsman/core/ports/ledger'
import type { PartitionHandoff } from './lag-report.ts'

/** How a partition came to its lane by the last switch; null when that did not change it. Pure. */
export function partitionHandoff(
  partition: number,
  { start, end }: LogBounds,
  handoff: Handoff | undefined
): PartitionHandoff | null {
  const frontier = handoff?.frontiers.get(partition)
  if (handoff === undefined || frontier === undefined || !handoff.admittedMs.has(partition)) return null
  const admittedMs = handoff.admittedMs.get(partition)
  const from = frontier > start ? frontier : start
  return {
    epoch: handoff.epoch,
    frontier: Number(frontier),
    cutMs: handoff.cutMs,
    admittedAfterMs: admittedMs === undefined ? null : Math.max(0, admittedMs - handoff.cutMs),
    toAdmit: end > from ? Number(end - from) : 0
  }
}
