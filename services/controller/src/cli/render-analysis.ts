import type { AnalysisReport, Stage } from '../switching/analysis/analysis-report.ts'
import { clean } from './clean.ts'
import { formatCount, formatDuration, formatPercent, formatTime, formatUsd } from './format.ts'
import { renderAnalysedJobs } from './render-analysed-jobs.ts'
import { renderStrategies } from './render-strategies.ts'
import { renderPairs, renderTable, type Terminal } from './terminal.ts'

const nothing = '–'
const stageTexts: Readonly<Record<Stage['stage'], string>> = {
  unread: 'unread',
  admitted: 'in requests, nothing paid yet',
  paying: 'in requests, being paid for',
  open: 'in open jobs',
  sealed: 'in sealed jobs',
  uploaded: 'in uploaded jobs, not sent',
  submitting: 'in jobs about to be sent',
  submitted: 'in jobs at the provider',
  terminal: 'in jobs whose results are read',
  waiting: 'waiting to be adopted'
}

/** What `analyze` and `switch --dry-run` show. */
export function renderAnalysis(report: AnalysisReport, terminal: Pick<Terminal, 'paint'>): string {
  const { jobs, warnings } = report
  return [
    headingOf(report, terminal),
    '',
    renderPairs(pairsOf(report, terminal)),
    '',
    renderStages(report),
    ...(jobs.length === 0 ? [] : ['', renderAnalysedJobs(report, terminal)]),
    '',
    renderStrategies(report, terminal),
    ...warnings.flatMap(({ code, text, remedy }) => [
      '',
      `${terminal.paint('warning', code)}  ${clean(text)}`,
      `  ${clean(remedy)}`
    ]),
    '',
    adviceOf(report, terminal)
  ].join('\n')
}

function headingOf(
  { atMs, epoch, share, target, unchanged }: AnalysisReport,
  terminal: Pick<Terminal, 'paint'>
): string {
  const how = share === 1 ? '' : ` with ${formatPercent(share)} of the partitions`
  const what = unchanged ? 'changes nothing' : 'would do this'
  return `${terminal.paint('strong', `A switch to ${target}${how}`)} ${what}  ${terminal.paint('dim', `epoch ${epoch}, ${formatTime(atMs)}`)}`
}

function pairsOf(
  { backlog, partitions, standby, otherLane, target, turnaround }: AnalysisReport,
  terminal: Pick<Terminal, 'paint'>
): (readonly [string, string])[] {
  const { moving, staying, realtime, batch } = partitions
  const { documents, tokens, tokensPerDocument, differenceUsd } = backlog
  const size =
    tokens === null ? '' : `, about ${formatCount(tokens)} tokens (${formatCount(tokensPerDocument)} each)`
  const lane = (name: 'realtime' | 'batch'): string => {
    const { usd, expectedMs } = backlog[name]
    return `${name} ${formatUsd(usd)} in ${formatDuration(expectedMs)}`
  }
  const now = `${target === 'batch' ? `${lane('realtime')}, ${lane('batch')}` : `${lane('batch')}, ${lane('realtime')}`}`
  return [
    ['now', `${formatCount(realtime)} partitions realtime, ${formatCount(batch)} batch`],
    ['moving', `${formatCount(moving.length)}${listed(moving)}; ${formatCount(staying.length)} stay`],
    ['backlog', `${formatCount(documents)} documents unread in them${size}`],
    ...(documents === 0 ? [] : ([['', `${now}${differenceOf(differenceUsd)}`]] as const)),
    ['standby', standbyText(standby, terminal)],
    ['other lane', standbyText(otherLane, terminal)],
    [
      'past jobs',
      turnaround === null
        ? 'none was completed yet'
        : `the last ${formatCount(turnaround.jobs)} took ${formatDuration(turnaround.medianMs)} (median), the longest ${formatDuration(turnaround.longestMs)}`
    ]
  ]
}

function standbyText(
  { instances, lane, ready, reasons }: AnalysisReport['standby'],
  terminal: Pick<Terminal, 'paint'>
): string {
  const alive = instances.filter(instance => instance.alive).length
  const state = ready ? terminal.paint('good', 'ready') : terminal.paint('bad', 'not ready')
  const why = reasons.length === 0 ? '' : `: ${clean(reasons.join('; '))}`
  return `${lane} ${state}, ${formatCount(alive)} embedder${alive === 1 ? '' : 's'} alive${why}`
}

function renderStages({ inFlight }: AnalysisReport): string {
  const there = inFlight.filter(({ documents, obligations }) => documents + obligations > 0)
  if (there.length === 0) return 'Nothing is unread or in flight.'
  const rows = there.map(({ stage, obligations, documents, tokens }) => [
    stageTexts[stage],
    stage === 'unread' ? nothing : formatCount(obligations),
    formatCount(documents),
    formatCount(tokens)
  ])
  return renderTable(['where', 'number', 'documents', 'tokens'], rows, { right: [1, 2, 3] })
}

function adviceOf({ recommendation }: AnalysisReport, terminal: Pick<Terminal, 'paint'>): string {
  const { reason, strategy } = recommendation
  const what = strategy === null ? terminal.paint('warning', 'none') : terminal.paint('good', strategy)
  return `Recommended: ${what}: ${clean(reason)}.`
}

function differenceOf(usd: number | null): string {
  if (usd === null || usd === 0) return ''
  return usd > 0 ? `: ${formatUsd(usd)} more` : `: ${formatUsd(-usd)} less`
}

/** `0-3, 6` */
function listed(partitions: readonly number[]): string {
  const runs: { first: number; last: number }[] = []
  for (const partition of partitions) {
    const run = runs.at(-1)
    if (run?.last === partition - 1) run.last = partition
    else runs.push({ first: partition, last: partition })
  }
  const texts = runs.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
  return texts.length === 0 ? '' : ` (${texts.join(', ')})`
}
