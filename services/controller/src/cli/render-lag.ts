import type { LagReport, LagStatus, PartitionLag } from '../lag/lag-report.ts'
import { clean } from './clean.ts'
import { formatCount, formatDuration, formatPercent, formatRate } from './format.ts'
import { renderTable, type Terminal, type Tone } from './terminal.ts'

const tones: Readonly<Record<LagStatus, Tone>> = {
  OK: 'good',
  CATCHING_UP: 'good',
  WAITING: 'good',
  UNKNOWN: 'dim',
  SLOW: 'warning',
  THROTTLED: 'warning',
  AT_RISK: 'warning',
  BLOCKED: 'bad',
  STALLED: 'bad',
  STOPPED: 'bad',
  REWOUND: 'bad',
  JUMPED: 'bad',
  LOST: 'bad'
}

const head = [
  'partition',
  'status',
  'lag',
  'unread',
  'admitted',
  'paying',
  'in jobs',
  'waiting',
  'done ahead',
  'uncommitted',
  'oldest',
  'lane'
]
const numbers = [2, 3, 4, 5, 6, 7, 8, 9, 10]

export function paintStatus(status: LagStatus, terminal: Pick<Terminal, 'paint'>): string {
  return terminal.paint(tones[status], status)
}

/** Everything that `lag` knows: the sum, each partition, and what stands in the way. */
export function renderLag(report: LagReport, terminal: Pick<Terminal, 'paint'>): string {
  const { totals } = report
  const rows = report.partitions.map(p => row(String(p.partition), p, p.lane, terminal))
  rows.push(row('all', { ...totals, status: report.status }, '', terminal))
  const lines = [
    `${paintStatus(report.status, terminal)}  ${clean(report.because)}`,
    '',
    renderTable(head, rows, { right: numbers }),
    '',
    renderPace(report),
    ...report.partitions.flatMap(p => obstacles(p))
  ]
  return lines.join('\n')
}

/** `12.5 produced/s, 12.4 admitted/s, 12.4 settled/s; ETA 47 s; k = 256 inputs at risk` */
export function renderPace({
  rates,
  etaMs,
  inputsAtRisk
}: Pick<LagReport, 'rates' | 'etaMs' | 'inputsAtRisk'>): string {
  const paces = [
    `${formatRate(rates.producedPerSecond)} produced/s`,
    `${formatRate(rates.admittedPerSecond)} admitted/s`,
    `${formatRate(rates.settledPerSecond)} settled/s`
  ].join(', ')
  return `${paces}; ETA ${formatDuration(etaMs)}; k = ${formatCount(inputsAtRisk)} inputs at risk`
}

function row(
  name: string,
  p: Pick<
    PartitionLag,
    | 'status'
    | 'lag'
    | 'unread'
    | 'stages'
    | 'doneAhead'
    | 'uncommitted'
    | 'oldestUnsettledMs'
    | 'oldestUnreadMs'
  >,
  lane: string,
  terminal: Pick<Terminal, 'paint'>
): string[] {
  const ages = [p.oldestUnsettledMs, p.oldestUnreadMs].filter(ageMs => ageMs !== null)
  return [
    name,
    paintStatus(p.status, terminal),
    formatCount(p.lag),
    formatCount(p.unread),
    formatCount(p.stages.admitted),
    formatCount(p.stages.paying),
    formatCount(p.stages.inJobs),
    formatCount(p.stages.waiting),
    formatCount(p.doneAhead),
    formatCount(p.uncommitted),
    ages.length === 0 ? '–' : formatDuration(Math.max(...ages)),
    lane
  ]
}

function obstacles(p: PartitionLag): string[] {
  const lines: string[] = []
  if (p.blocking) {
    const { offset, kind, state, attempts, ageMs, reason, waitMs } = p.blocking
    const what = kind === 'orphan' ? 'an orphan' : `${kind === 'manifest' ? 'a job' : 'a request'} (${state})`
    const wait = waitMs > 0 ? `, tried again in ${formatDuration(waitMs)}` : ''
    const why = reason === '' ? '' : `: ${clean(reason)}`
    const tried = attempts === 1 ? '1 attempt' : `${attempts} attempts`
    lines.push(
      `partition ${p.partition}: offset ${offset} holds the watermark, ${what} for ${formatDuration(ageMs)}, ${tried}${wait}${why}`
    )
  }
  if (p.retention && p.retention.leftShare < 0.5) {
    const left = `${formatDuration(Math.max(0, p.retention.leftMs))} (${formatPercent(Math.max(0, p.retention.leftShare))})`
    lines.push(`partition ${p.partition}: ${left} until the oldest unfinished record expires`)
  }
  if (p.expired > 0)
    lines.push(`partition ${p.partition}: ${formatCount(p.expired)} records expired unfinished`)
  if (p.stages.unaccounted !== 0) {
    lines.push(`partition ${p.partition}: ${p.stages.unaccounted} unsettled offsets belong to no obligation`)
  }
  return lines
}
