import { otherLane } from '@pointsman/core/domain/lane'
import type { SwitchHistory, SwitchReport, SwitchState } from '../switching/switch-report.ts'
import type { Takeover } from './after-the-cut.ts'
import { clean, excerpt } from './clean.ts'
import { formatCount, formatDuration, formatPercent, formatTime } from './format.ts'
import { renderPairs, renderTable, type Terminal, type Tone } from './terminal.ts'

type Paint = Pick<Terminal, 'paint'>

const tones: Readonly<Record<SwitchState, Tone>> = {
  pending: 'warning',
  draining: 'warning',
  completed: 'good',
  aborted: 'bad',
  refused: 'bad',
  unchanged: 'dim'
}

const head = ['when', 'switch', 'who', 'from -> to', 'strategy', 'took', 'documents', 'outcome', 'why']
const numbers = [5, 6]

/** What a switch under way waits for, in a line. */
export function switchProgress(
  { left, state }: SwitchReport,
  { abortedAtMs, endsAtMs, nowMs }: { nowMs: number; abortedAtMs: number; endsAtMs: number | undefined }
): string {
  const rest = `aborted in ${formatDuration(Math.max(0, abortedAtMs - nowMs))} unless it has cut by then`
  if (left === null) return `${state}; ${rest}`
  const what = [counted(left.requests, 'request'), counted(left.jobs, 'job')].join(' and ')
  const end =
    endsAtMs === undefined ? '' : `, expected to end in ${formatDuration(Math.max(0, endsAtMs - nowMs))}`
  return `${state}: ${what} with ${counted(left.documents, 'document')} left${end}; ${rest}`
}

/** What happened, and what to look at next. */
export function renderSwitched(
  report: SwitchReport,
  takeover: Takeover | undefined,
  terminal: Paint
): string {
  if (report.state === 'unchanged') return `Nothing to do: ${clean(report.because)}.`
  if (report.state !== 'completed' || takeover === undefined) {
    return `${terminal.paint(tones[report.state], `Not switched: ${report.state}.`)} ${clean(report.because)}`
  }
  const { released, cancelled, epoch, partitions, strategy, tookMs } = report
  const moved = `${from(report)} -> ${report.target}, ${counted(partitions.length, 'partition')}`
  const first = `${terminal.paint('good', 'Switched')} ${moved}, in ${formatDuration(tookMs)} (${strategy}, epoch ${epoch}); ${begun(takeover)}.`
  const jobs =
    cancelled > 0
      ? [`${counted(cancelled, 'job')} to be cancelled`]
      : [`${counted(takeover.jobsGoingOn, 'job')} in the background`]
  const second = [`${counted(released, 'document')} of unsent jobs released`, ...jobs].join(', ')
  return `${first}\n${second}. Next: ${next(takeover, cancelled)}.`
}

function begun({ allPartitionsMs, firstAdmissionMs, toAdmit }: Takeover): string {
  if (toAdmit === 0) return 'nothing to admit yet'
  if (firstAdmissionMs === null) return 'nothing admitted yet'
  const all = allPartitionsMs === null ? '' : `, on all partitions after ${formatDuration(allPartitionsMs)}`
  return `first admission after ${formatDuration(firstAdmissionMs)}${all}`
}

function next({ firstAdmissionMs, jobsGoingOn, toAdmit }: Takeover, cancelled: number): string {
  if (toAdmit > 0 && firstAdmissionMs === null) return '`pointsman lag` tells what it waits for'
  if (cancelled > 0 || jobsGoingOn > 0) return '`pointsman jobs list --watch`'
  return '`pointsman lag --watch`'
}

export function renderHistory({ current, epoch, switches }: SwitchHistory, terminal: Paint): string {
  const all = current === null ? switches : [current, ...switches]
  if (all.length === 0) return `No switch yet; epoch ${epoch}.`
  const rows = all.map(report => [
    formatTime(report.acceptedMs),
    clean(report.switchId),
    excerpt(report.actor, 24),
    `${from(report)} -> ${report.target}${report.share < 1 ? ` (${formatPercent(report.share)})` : ''}`,
    report.strategy,
    formatDuration(report.tookMs),
    formatCount(report.released),
    terminal.paint(tones[report.state], report.state),
    excerpt(report.state === 'completed' ? report.reason : report.because, 60)
  ])
  return [renderTable(head, rows, { right: numbers }), '', `Epoch ${epoch}.`].join('\n')
}

export function renderSwitch(report: SwitchReport, terminal: Paint): string {
  const { frontiers, left, partitions } = report
  const rows: (readonly [string, string])[] = [
    ['switch', clean(report.switchId)],
    ['state', `${terminal.paint(tones[report.state], report.state)}  ${clean(report.because)}`],
    ['lanes', `${from(report)} -> ${report.target}, ${formatPercent(report.share)} of the partitions`],
    ['changes', partitions.length === 0 ? 'nothing' : `partitions ${partitions.join(', ')}`],
    ['strategy', report.strategy],
    ['epoch', `${report.epoch}, after ${report.expectedEpoch}`],
    ['asked by', clean(report.actor)],
    ['why', clean(report.reason)],
    ['accepted', formatTime(report.acceptedMs)]
  ]
  if (report.endedMs === null)
    rows.push(['aborted', `${formatTime(report.deadlineAtMs)}, unless it has cut by then`])
  else rows.push(['ended', `${formatTime(report.endedMs)}, took ${formatDuration(report.tookMs)}`])
  if (left !== null) {
    const what = `${counted(left.requests, 'request')}, ${counted(left.jobs, 'job')}`
    rows.push(['left', `${what}, ${counted(left.documents, 'document')}`])
  }
  if (report.state === 'completed') {
    const offsets = partitions.map(partition => `${partition}: ${frontiers[String(partition)] ?? 0}`)
    rows.push(
      ['released', counted(report.released, 'document')],
      ['cancelled', counted(report.cancelled, 'job')],
      ['cut at', offsets.join(', ')]
    )
  }
  return renderPairs(rows)
}

/** Partitions move towards the target alone. */
function from({ target }: Pick<SwitchReport, 'target'>): string {
  return otherLane(target)
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`
}
