import type { AnalysedJob, AnalysisReport } from '../switching/analysis/analysis-report.ts'
import { clean } from './clean.ts'
import { formatCount, formatDuration } from './format.ts'
import { renderTable, type Terminal } from './terminal.ts'

const head = ['job', 'state', 'done', 'lines', 'waiting', 'tokens', 'age', 'ends', 'at the latest']
const nothing = '–'

export function renderAnalysedJobs(
  { atMs, jobs }: Pick<AnalysisReport, 'atMs' | 'jobs'>,
  terminal: Pick<Terminal, 'paint'>
): string {
  const rows = jobs.map(job => [
    clean(job.id),
    stateOf(job, terminal),
    formatCount(job.lines.done),
    job.lines.all === 0 ? nothing : formatCount(job.lines.all),
    formatCount(job.documents),
    formatCount(job.tokens),
    formatDuration(job.ageMs),
    inTime(job.expectedEndMs, atMs),
    inTime(job.latestEndMs, atMs)
  ])
  return renderTable(head, rows, { right: [2, 3, 4, 5, 6] })
}

function stateOf(
  { nearlyDone, order, stale, state }: AnalysedJob,
  terminal: Pick<Terminal, 'paint'>
): string {
  const remarks = [
    ...(stale ? [terminal.paint('bad', 'stale')] : []),
    ...(nearlyDone ? ['nearly done'] : []),
    ...(order === null ? [] : [terminal.paint('warning', order)])
  ]
  return [state, ...remarks].join(', ')
}

function inTime(timeMs: number | null, nowMs: number): string {
  if (timeMs === null) return nothing
  return timeMs <= nowMs ? 'now' : `in ${formatDuration(timeMs - nowMs)}`
}
