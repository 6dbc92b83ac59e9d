import type { RebuildReport } from '../status/rebuild-report.ts'
import { clean } from './clean.ts'
import { formatCount, formatDuration, formatPercent, formatTime } from './format.ts'

const stages = {
  waiting: 'no controller has begun yet',
  provider: 'asking the provider for files and jobs',
  index: 'reading the index',
  log: 'reading the log',
  jobs: 'taking over jobs'
} as const

/** `reading the index: 120,000/1,000,000 (12.0 %)` */
export function rebuildProgress({ done, stage, total }: RebuildReport): string {
  const what = stages[stage]
  if (total > 0) return `${what}: ${formatCount(done)}/${formatCount(total)} (${formatPercent(done / total)})`
  return done > 0 ? `${what}: ${formatCount(done)}` : what
}

export function renderRebuild(rebuild: RebuildReport): string {
  return `rebuilt since ${formatTime(rebuild.sinceMs)}: ${clean(rebuild.because)}; ${rebuildProgress(rebuild)}`
}

/** What `pointsman rebuild` came to. */
export interface RebuildOutcome {
  readonly begun: boolean
  readonly because: string
  /** Null unless it was waited for. */
  readonly tookMs: number | null
}

export function renderRebuildOutcome({ because, begun, tookMs }: RebuildOutcome): string {
  if (tookMs !== null) return `The ledger is rebuilt, after ${formatDuration(tookMs)}: admission goes on.`
  const begins = begun ? 'The ledger is distrusted' : 'A rebuild is under way already'
  return `${begins} (${clean(because)}). Nothing is admitted until it is rebuilt; \`pointsman rebuild --wait\` shows how far it is.`
}
