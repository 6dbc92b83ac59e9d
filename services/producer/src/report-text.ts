import type { EstimateReport, IngestEvent, IngestProgress, IngestReport } from './ingest-report.ts'

const listed = 20

/** One line about how far a run is. */
export function progressText({
  documents,
  emitted,
  unchanged,
  rejected,
  documentsPerSecond
}: IngestProgress): string {
  const refused = rejected === 0 ? '' : ` | rejected ${rejected}`
  return `${documents} read | ${emitted} sent | ${unchanged} unchanged${refused} | ${documentsPerSecond} docs/s`
}

/** What a person is told between two lines of progress; undefined for what can wait for the report. */
export function eventText(event: IngestEvent): string | undefined {
  switch (event.event) {
    case 'waiting':
      return `waiting: ${event.reason}; next try in ${event.retryInMs} ms`
    case 'resumed':
      return `going on after ${event.waitedMs} ms`
    case 'following':
      return `following ${event.paths.join(' ')}: a look every ${event.intervalMs / 1000} s, until Ctrl-C`
    case 'progress':
    case 'rejected':
    case 'report':
    case 'estimate':
    case 'texts':
      return undefined
  }
}

export function estimateText(report: EstimateReport): string {
  const { documents, unchanged, emitted, chunks, tombstones, tokens, distinct, seconds } = report
  const lines = [
    `${report.stopped ? 'stopped: ' : ''}${documents} texts read in ${seconds.toFixed(1)} s: ${emitted} documents would be ` +
      `sent (${chunks} of them chunks, ${tokens} tokens), ${unchanged} texts unchanged, ${tombstones} documents deleted`,
    `${distinct.texts} distinct texts of ${distinct.tokens} tokens`
  ]
  return [...lines, ...remarks(report)].join('\n')
}

export function reportText(report: IngestReport): string {
  const { documents, unchanged, emitted, chunks, tombstones, tokens, seconds } = report
  const lines = [
    `${report.stopped ? 'stopped: ' : ''}${documents} texts read in ${seconds.toFixed(1)} s: ${emitted} documents sent ` +
      `(${chunks} of them chunks, ${tokens} tokens), ${unchanged} texts unchanged, ${tombstones} documents deleted`
  ]
  return [...lines, ...remarks(report)].join('\n')
}

function remarks(report: Omit<IngestReport, 'event'>): readonly string[] {
  const lines: string[] = []
  if (report.kept > 0) lines.push(`${report.kept} texts not found but kept`)
  const skipped = Object.entries(report.skipped)
  if (skipped.length > 0) {
    lines.push(
      `not read: ${skipped.map(([kind, count]) => `${count} ${kind || 'without extension'}`).join(', ')}`
    )
  }
  if (report.rejectedTotal > 0) {
    lines.push(`${report.rejectedTotal} rejected:`)
    for (const { path, id, reason } of report.rejected.slice(0, listed)) {
      lines.push(`  ${path}${id === undefined || id === path ? '' : ` ${id}`}: ${reason}`)
    }
    if (report.rejectedTotal > listed)
      lines.push(`  and ${report.rejectedTotal - listed} more (--json, --rejected-to)`)
  }
  return [...lines, ...report.notices.map(notice => `note: ${notice}`)]
}
