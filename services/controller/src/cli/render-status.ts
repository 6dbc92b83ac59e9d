import type { StatusReport } from '../status/status-report.ts'
import { clean } from './clean.ts'
import { formatCount, formatDuration, formatTime, formatUsd } from './format.ts'
import { paintStatus, renderDraining, renderPace } from './render-lag.ts'
import { renderRebuild } from './render-rebuild.ts'
import { renderPairs, type Terminal } from './terminal.ts'

type Pair = readonly [string, string]

export function renderStatus(report: StatusReport, terminal: Pick<Terminal, 'paint'>): string {
  return [
    heading(report, terminal),
    '',
    renderPairs(rows(report, terminal)),
    ...notReady(report, terminal)
  ].join('\n')
}

function heading(
  { namespace, version, ready, atMs }: StatusReport,
  terminal: Pick<Terminal, 'paint'>
): string {
  const state = ready ? terminal.paint('good', 'ready') : terminal.paint('bad', 'not ready')
  return `${terminal.paint('strong', clean(namespace))}  ${state}  ${terminal.paint('dim', `pointsman ${version}, ${formatTime(atMs)}`)}`
}

function rows(report: StatusReport, terminal: Pick<Terminal, 'paint'>): Pair[] {
  const { ledger, lag, spend, index, model } = report
  const alive = report.instances.filter(instance => instance.alive)
  const pairs: Pair[] = [['mode', ledger ? modeOf(ledger, terminal) : '–']]
  if (ledger?.rebuild) pairs.push(['ledger', terminal.paint('bad', renderRebuild(ledger.rebuild))])
  if (lag?.draining) pairs.push(['switch', renderDraining(lag.draining)])
  if (report.standby.length > 0) {
    pairs.push(['standby', report.standby.map(lane => standbyOf(lane, terminal)).join('; ')])
  }
  pairs.push(['lag', lag ? `${paintStatus(lag.status, terminal)}  ${clean(lag.because)}` : '–'])
  if (lag) pairs.push(['documents', documentsOf(lag)], ['pace', renderPace(lag)])
  if (ledger) pairs.push(['settled', settledOf(ledger.counts)])
  if (report.jobs && report.jobs.oldestMs !== null) pairs.push(['jobs', jobsOf(report.jobs, terminal)])
  pairs.push(
    ['index', index ? `${formatCount(index.objects)} objects${unindexed(index.unindexed)}` : '–'],
    ['sweeper', sweeperOf(report.sweeper)],
    ['spend', spend ? spendOf(spend) : '–'],
    ['model', `${clean(model.name)}, ${model.dimensions} dimensions`],
    [
      'embedders',
      alive.length === 0
        ? terminal.paint('bad', 'none alive')
        : alive.map(({ instance }) => clean(instance)).join(', ')
    ],
    ...alive.filter(({ trouble }) => trouble !== '').map(instance => troubleOf(instance, terminal))
  )
  return pairs
}

function troubleOf(
  { instance, trouble }: StatusReport['instances'][number],
  terminal: Pick<Terminal, 'paint'>
): Pair {
  return ['trouble', `${terminal.paint('warning', clean(instance))}  ${clean(trouble)}`]
}

function standbyOf(
  { lane, ready, reasons }: StatusReport['standby'][number],
  terminal: Pick<Terminal, 'paint'>
): string {
  if (ready) return `${lane} is ready`
  return `${terminal.paint('warning', `${lane} is not ready`)}: ${reasons.map(clean).join('; ')}`
}

function documentsOf({ totals }: NonNullable<StatusReport['lag']>): string {
  const { unread, outstanding, stages, oldestUnsettledMs, oldestUnreadMs } = totals
  const oldestMs = oldestUnsettledMs ?? oldestUnreadMs
  const age = oldestMs === null ? '' : `, oldest ${formatDuration(oldestMs)}`
  return `${formatCount(unread)} unread, ${formatCount(outstanding)} in flight (${inJobs(stages)}${formatCount(stages.waiting)} waiting)${age}`
}

function inJobs({ inJobs: documents }: NonNullable<StatusReport['lag']>['totals']['stages']): string {
  return documents === 0 ? '' : `${formatCount(documents)} in jobs, `
}

function settledOf(counts: Readonly<Record<string, number>>): string {
  const told = ['indexed', 'deleted', 'skipped', 'unchanged'].map(
    kind => `${formatCount(counts[kind] ?? 0)} ${kind}`
  )
  return [...told, `${formatCount(counts['dead'] ?? 0)} given up`].join(', ')
}

function modeOf(ledger: NonNullable<StatusReport['ledger']>, terminal: Pick<Terminal, 'paint'>): string {
  const lanes = `${ledger.partitions.realtime} partitions realtime, ${ledger.partitions.batch} batch`
  const paused = ledger.pause
    ? terminal.paint(
        'warning',
        `  paused since ${formatTime(ledger.pause.sinceMs)}: ${clean(ledger.pause.reason)}`
      )
    : ''
  return `${ledger.mode} (${lanes}), ${ledger.phase}, epoch ${ledger.epoch}${paused}`
}

function spendOf({
  paidTokens,
  necessaryTokens,
  paidInJobs,
  usd
}: NonNullable<StatusReport['spend']>): string {
  const price = usd === null ? '' : `, ${formatUsd(usd)}`
  const inJobs = paidInJobs === null || paidInJobs === 0 ? '' : ` (${formatCount(paidInJobs)} in jobs)`
  return `${formatCount(paidTokens)} tokens paid${inJobs}, ${formatCount(necessaryTokens)} necessary${price}`
}

function jobsOf(
  { states, documents, oldestMs, stale }: NonNullable<StatusReport['jobs']>,
  terminal: Pick<Terminal, 'paint'>
): string {
  const told = Object.entries(states).map(([state, count]) => `${formatCount(count)} ${state}`)
  const late = stale === 0 ? '' : `, ${terminal.paint('bad', `${formatCount(stale)} past the deadline`)}`
  return `${told.join(', ')}; ${formatCount(documents)} documents wait, oldest ${formatDuration(oldestMs)}${late}`
}

function sweeperOf({ corrected, objects, removed, resting, walks }: StatusReport['sweeper']): string {
  const gone = removed.outlived + removed.deleted
  const where = resting === '' ? `${formatCount(objects)} objects into the next` : `rests: ${clean(resting)}`
  return `${formatCount(walks)} walks, ${where}; ${formatCount(gone)} removed, ${formatCount(corrected)} corrected`
}

function unindexed(count: number): string {
  return count === 0 ? '' : `, ${formatCount(count)} not searchable yet`
}

function notReady({ parts }: StatusReport, terminal: Pick<Terminal, 'paint'>): string[] {
  const away = parts.filter(({ state }) => state !== 'ready')
  if (away.length === 0) return []
  return [
    '',
    ...away.map(({ name, state, reason }) => `${terminal.paint('bad', name)} is ${state}: ${clean(reason)}`)
  ]
}
