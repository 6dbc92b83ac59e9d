import { formatCount, formatDuration } from '../../cli/format.ts'
import { documentsOf } from '../../jobs/manifests.ts'
import type { AnalysisFacts } from './analysis-facts.ts'
import type { Warning } from './analysis-report.ts'

/** Orphans: how many documents, why, and when they are adopted. */
export function orphanWarning(_: unknown, { survey }: Pick<AnalysisFacts, 'survey'>): Warning | undefined {
  const { nowMs, obligations } = survey
  const orphans = obligations.filter(({ kind }) => kind === 'orphan')
  const [oldest] = orphans.toSorted((a, b) => a.sinceMs - b.sinceMs)
  if (oldest === undefined) return undefined
  const resting = orphans.filter(({ notBeforeMs }) => notBeforeMs > nowMs)
  const soonestMs = Math.min(...resting.map(({ notBeforeMs }) => notBeforeMs)) - nowMs
  const when =
    resting.length === 0
      ? 'they may be adopted now'
      : `${formatCount(resting.length)} of ${formatCount(orphans.length)} orphans rest, the first for ${formatDuration(soonestMs)} more`
  const documents = orphans.reduce((sum, orphan) => sum + documentsOf(orphan), 0)
  const why = oldest.reason === '' ? '' : ` (the oldest: ${oldest.reason})`
  return {
    code: 'WAITING_ORPHANS',
    strategies: ['detach', 'drain', 'force'],
    text: `${formatCount(documents)} documents wait to be adopted${why}; ${when}`,
    remedy:
      'none is needed: the lane of their partition after the switch adopts them; a drain does not wait for them'
  }
}
