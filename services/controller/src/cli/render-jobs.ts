import type { Abandonment, JobList, JobReport } from '../jobs/job-report.ts'
import { clean, excerpt } from './clean.ts'
import { formatCount, formatDuration, formatTime, formatUsd } from './format.ts'
import { renderPairs, renderTable, type Terminal } from './terminal.ts'

const head = [
  'job',
  'state',
  'provider',
  'lines',
  'done',
  'failed',
  'waiting',
  'age',
  'tokens',
  'cost',
  'deadline',
  'owner'
]
const numbers = [3, 4, 5, 6, 7, 8, 9]
const nothing = '–'

export function renderJobs({ live, past }: JobList, terminal: Pick<Terminal, 'paint'>): string {
  const lines: string[] = []
  if (live.length === 0) lines.push('No job lives.')
  else {
    const waiting = live.reduce((sum, { documents }) => sum + documents, 0)
    lines.push(
      tableOf(live, terminal),
      '',
      `${counted(live.length, 'job')}; ${formatCount(waiting)} documents wait for them.`
    )
  }
  if (past.length > 0) lines.push('', terminal.paint('strong', 'over'), tableOf(past, terminal))
  return lines.join('\n')
}

function tableOf(jobs: readonly JobReport[], terminal: Pick<Terminal, 'paint'>): string {
  const rows = jobs.map(job => [
    clean(job.id),
    job.state,
    excerpt(job.status ?? nothing, 14),
    job.lines.all === 0 ? nothing : formatCount(job.lines.all),
    formatCount(job.lines.done),
    job.lines.failed === 0 ? '0' : terminal.paint('warning', formatCount(job.lines.failed)),
    formatCount(job.documents),
    formatDuration(job.ageMs),
    job.tokens === 0 ? nothing : formatCount(job.tokens),
    formatUsd(job.state === 'archived' ? job.usd : job.tokens === 0 ? null : job.expectedUsd),
    job.state === 'archived' ? nothing : deadlineOf(job, terminal),
    job.owner === null ? nothing : ownerOf(job, terminal)
  ])
  return renderTable(head, rows, { right: numbers })
}

function deadlineOf(job: JobReport, terminal: Pick<Terminal, 'paint'>): string {
  const { deadlines, overdue, stale } = job
  if (deadlines === null) return nothing
  const nowMs = nowOf(job)
  if (stale) return terminal.paint('bad', 'stale')
  if (overdue)
    return terminal.paint(
      'warning',
      `overdue, ours in ${formatDuration(Math.max(0, deadlines.ownMs - nowMs))}`
    )
  return `in ${formatDuration(Math.max(0, deadlines.providerMs - nowMs))}`
}

function ownerOf({ owner, instance, ownerAlive }: JobReport, terminal: Pick<Terminal, 'paint'>): string {
  const name = clean(instance ?? owner ?? nothing)
  return ownerAlive ? name : terminal.paint('bad', `${name} (gone)`)
}

export function renderJob(job: JobReport, terminal: Pick<Terminal, 'paint'>): string {
  const { lines, deadlines } = job
  const nowMs = nowOf(job)
  const rows: (readonly [string, string])[] = [
    ['job', clean(job.id)],
    ['state', job.state],
    [
      'provider',
      `${clean(job.status ?? 'not told yet')}${job.batchId === null ? '' : `, batch ${clean(job.batchId)}`}`
    ],
    [
      'lines',
      lines.all === 0
        ? 'not written yet'
        : `${formatCount(lines.all)}: ${formatCount(lines.done)} done, ${formatCount(lines.failed)} failed`
    ],
    ['documents', `${formatCount(job.documents)} wait for it`],
    [
      'tokens',
      `${job.tokens === 0 ? nothing : formatCount(job.tokens)} (${formatUsd(job.tokens === 0 ? null : job.expectedUsd)}), ${formatCount(job.paidTokens)} charged so far (${formatUsd(job.usd)})`
    ],
    [
      'begun',
      `${formatTime(job.sinceMs)}, ${job.archivedMs === null ? `${formatDuration(job.ageMs)} ago` : `took ${formatDuration(job.ageMs)} in all`}`
    ]
  ]
  if (job.creates > 1) rows.push(['sent', `${job.creates} times`])
  if (job.submittedMs !== null) rows.push(['submitted', formatTime(job.submittedMs)])
  if (job.progressMs !== null && job.endedMs === null)
    rows.push(['last change', `${formatDuration(Math.max(0, nowMs - job.progressMs))} ago`])
  if (job.endedMs !== null) rows.push(['ended', formatTime(job.endedMs)])
  if (deadlines && job.endedMs === null) {
    rows.push(
      [
        'deadline',
        `${formatTime(deadlines.providerMs)} of the provider, ${formatTime(deadlines.ownMs)} our own`
      ],
      ...(job.stale ? [['', terminal.paint('bad', 'past our own deadline')] as const] : [])
    )
  }
  if (job.owner !== null) rows.push(['owner', ownerOf(job, terminal)])
  if (job.order !== null) rows.push(['ordered', terminal.paint('warning', job.order)])
  if (job.reason !== '') rows.push(['reason', clean(job.reason)])
  return [renderPairs(rows), '', `Next: ${clean(job.next)}.`].join('\n')
}

/** The ledger's time at the answer: this computer may have another. */
function nowOf({ sinceMs, ageMs }: JobReport): number {
  return sinceMs + ageMs
}

export function renderAbandonment({ job, ordered, documents, texts, tokens, usd }: Abandonment): string {
  const cost = usd === null ? '' : `, ${formatUsd(usd)}`
  const risk = `Up to ${formatCount(texts)} texts (${formatCount(tokens)} tokens${cost}) may be paid for twice; ${formatCount(documents)} documents are embedded elsewhere.`
  const done = ordered ? `Job ${clean(job.id)} is given up.` : `Nothing was done to job ${clean(job.id)}.`
  return `${risk}\n${done}`
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`
}
