import type { PartitionHandoff, PartitionLag } from '../lag/lag-report.ts'
import { formatCount, formatDuration, formatTime } from './format.ts'
import { renderTable } from './terminal.ts'

type Changed = PartitionLag & { readonly handoff: PartitionHandoff }

/** How each partition that the last switch changed came to its lane; nothing before the first switch. */
export function renderHandoffs(partitions: readonly PartitionLag[]): readonly string[] {
  const changed = partitions.filter((p): p is Changed => p.handoff !== null)
  const [first] = changed
  if (first === undefined) return []
  const { epoch, cutMs } = first.handoff
  const rows = changed.map(({ partition, lane, handoff }) => [
    String(partition),
    lane,
    formatCount(handoff.frontier),
    admissionOf(handoff)
  ])
  return [
    '',
    `last switch: epoch ${epoch}, cut ${formatTime(cutMs)}`,
    renderTable(['partition', 'to', 'from offset', 'first admission'], rows, { right: [2] })
  ]
}

function admissionOf({ admittedAfterMs, toAdmit }: PartitionHandoff): string {
  if (admittedAfterMs !== null) return `after ${formatDuration(admittedAfterMs)}`
  return toAdmit === 0 ? 'none: nothing to admit' : `none yet: ${formatCount(toAdmit)} to admit`
}
