import { otherLane } from '@pointsman/core/domain/lane'
import type { Draining, LagReport, LagStatus, PartitionLag } from '../lag/lag-report.ts'
import { clean } from './clean.ts'
import { formatCount, formatDuration, formatPercent, formatRate, formatTime } from './format.ts'
import { renderHandoffs } from './render-handoffs.ts'
import { renderLagBars } from './render-lag-bars.ts'
import { renderRebuild } from './render-rebuild.ts'
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
  REBUILDING: 'bad',
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
  'idle group',
  'oldest',
  'lane'
]
const numbers = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]

export function paintStatus(status: LagStatus, terminal: Pick<Terminal, 'paint'>): string {
  return terminal.paint(tones[status], status)
}

/** Everything that `lag` knows: the sum, each partition, the last switch, and what stands in the way. */
export function renderLag(report: LagReport, terminal: Pick<Terminal, 'paint' | 'columns'>): string {
  const { draining, partitions, rebuild, totals } = report
  const rows = partitions.map(p => row(String(p.partition), { ...p, idle: idleOf(p) }, p.lane, terminal))
  const all = { ...totals, status: report.status, idle: sumOfKnown(partitions.map(idleOf)) }
  rows.push(row('all', all, '', terminal))
  const lines = [
    `${paintStatus(report.status, terminal)}  ${clean(report.because)}`,
    '',
    renderTable(head, rows, { right: numbers }),
    '',
    ...renderLagBars(partitions, terminal.columns),
    renderPace(report),
    ...(rebuild === null ? [] : [`ledger: ${renderRebuild(rebuild)}`]),
    ...(draining === null ? [] : [`switch: ${renderDraining(draining)}`]),
    ...partitions.flatMap(p => obstacles(p)),
    ...renderHandoffs(partitions)
  ]
  return lines.join('\n')
}

/** `epoch 18 waits since 2026-07-01 12:00:00 UTC for 2 requests and 1 job with 300 documents` */
export function renderDraining({ epoch, sinceMs, left }: Draining): string {
  const waits = `${formatCount(left.requests)} requests and ${formatCount(left.jobs)} jobs`
  return `epoch ${epoch} waits since ${formatTime(sinceMs)} for ${waits} with ${formatCount(left.documents)} documents`
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
  > & { readonly idle: number | null },
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
    formatCount(p.idle),
    ages.length === 0 ? '–' : formatDuration(Math.max(...ages)),
    lane
  ]
}

/** W - C of the group whose lane does not have the partition. */
function idleOf({ lane, uncommittedByGroup }: PartitionLag): number | null {
  return uncommittedByGroup[otherLane(lane)]
}

function sumOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
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
  if (p.stages.waiting > 0) lines.push(`partition ${p.partition}: ${orphansOf(p.orphans)}`)
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

function orphansOf({ adoptable, resting, soonestMs, reason }: PartitionLag['orphans']): string {
  const kinds = [
    ...(adoptable > 0 ? [`${formatCount(adoptable)} may be adopted now`] : []),
    ...(resting > 0 ? [`${formatCount(resting)} rest, the first for ${formatDuration(soonestMs)}`] : [])
  ]
  const why = reason === null || reason === '' ? '' : `; the oldest: ${clean(reason)}`
  return `${formatCount(adoptable + resting)} documents wait: ${kinds.join(', ')}${why}`
}
