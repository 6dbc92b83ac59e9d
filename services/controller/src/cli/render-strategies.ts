import type { AnalysisReport, Cut, StrategyOutlook, Work } from '../switching/analysis/analysis-report.ts'
import { clean } from './clean.ts'
import { formatCount, formatDuration, formatUsd } from './format.ts'
import { renderPairs, type Terminal } from './terminal.ts'

/** Each strategy in a few lines; the one that was asked about is marked. */
export function renderStrategies(report: Report, terminal: Pick<Terminal, 'paint'>): string {
  return report.strategies.map(outlook => strategyText(outlook, report, terminal)).join('\n')
}

type Report = Pick<AnalysisReport, 'atMs' | 'strategies' | 'strategy' | 'target' | 'warnings'>

function strategyText(outlook: StrategyOutlook, report: Report, terminal: Pick<Terminal, 'paint'>): string {
  const { atMs, strategy, target } = report
  const { cut, refusal } = outlook
  const mark = outlook.strategy === strategy ? '*' : ' '
  const name = `${mark} ${terminal.paint('strong', outlook.strategy)}${refusalText(outlook, report, terminal)}`
  if (cut === null) return refusal === null ? `${name}  changes nothing` : name
  const pairs: Pairs = [
    ['cut', cutText(cut, outlook.strategy)],
    ...workText('waits for', outlook.waitedFor, atMs),
    ...workText('goes on', outlook.goingOn, atMs),
    ...releasedText(outlook, target),
    ...cancelledText(outlook, target),
    ...costText(outlook)
  ]
  const rest = renderPairs(pairs)
    .split('\n')
    .map(line => `    ${line}`)
  return [name, ...rest].join('\n')
}

/** The code alone when a warning tells the rest. */
function refusalText(
  { refusal }: StrategyOutlook,
  { warnings }: Report,
  terminal: Pick<Terminal, 'paint'>
): string {
  if (refusal === null) return ''
  const code = terminal.paint('bad', refusal.code)
  const isTold = warnings.some(warning => warning.code === refusal.code)
  return `  ${code}${isTold ? '' : `  ${clean(refusal.detail)}`}`
}

type Pairs = (readonly [string, string])[]

function cutText(
  { basis, beforeDeadline, expectedMs, latestMs }: Cut,
  strategy: StrategyOutlook['strategy']
): string {
  const about = expectedMs === null ? 'not known when' : `in about ${formatDuration(expectedMs)}`
  const latest = latestMs === null ? '' : `, ${formatDuration(latestMs)} at the latest`
  const stops = strategy === 'drain' ? '; nothing is admitted until then' : ''
  const late = beforeDeadline === false ? '; its deadline comes first: it would be aborted' : ''
  return `${about}${latest} (${clean(basis)})${stops}${late}`
}

function workText(name: string, work: Work, atMs: number): Pairs {
  const { documents, jobs, requests } = work
  if (requests + jobs.length === 0) return []
  const what = [
    ...(requests === 0 ? [] : [counted(requests, 'request')]),
    ...(jobs.length === 0 ? [] : [counted(jobs.length, 'job')])
  ].join(', ')
  return [[name, `${what}: ${counted(documents, 'document')}${jobs.length === 0 ? '' : endText(work, atMs)}`]]
}

function endText({ expectedEndMs }: Work, atMs: number): string {
  if (expectedEndMs === null) return ', not known how long'
  return `, for about ${formatDuration(Math.max(0, expectedEndMs - atMs))}`
}

function releasedText({ released }: StrategyOutlook, target: string): Pairs {
  const { documents, jobs, toTarget } = released
  if (jobs.length === 0) return []
  const text = `${counted(jobs.length, 'job')} not sent: ${counted(documents, 'document')}, ${formatCount(toTarget)} of them to ${target}`
  return [['releases', text]]
}

function cancelledText({ cancelled }: StrategyOutlook, target: string): Pairs {
  const { anewUsd, atMostTwice, jobs, linesAnew, linesKept } = cancelled
  if (jobs.length === 0) return []
  const keeps = `${formatCount(linesKept)} lines done are kept`
  const anew = `at most ${formatCount(linesAnew)} are paid for in ${target} (${formatUsd(anewUsd)})`
  const twice = `of these at most ${formatCount(atMostTwice.lines)} (${formatUsd(atMostTwice.usd)}) may be charged twice`
  return [
    ['cancels', `${counted(jobs.length, 'job')}: ${keeps}, ${anew}`],
    ['', `${twice}: those that the provider has finished and does not deliver`]
  ]
}

function costText({ differenceUsd, moves }: StrategyOutlook): Pairs {
  if (differenceUsd === null) return [['cost', 'not known']]
  const sum = differenceUsd === 0 ? 'no difference' : moreOrLess(differenceUsd)
  const { documents, differenceUsd: ofMoves } = moves
  const part =
    documents === 0 || ofMoves === null || ofMoves === 0
      ? ''
      : `, of that ${moreOrLess(ofMoves)} for ${counted(documents, 'document')} admitted already`
  return [['cost', `${sum}${part}`]]
}

function moreOrLess(usd: number): string {
  return usd > 0 ? `${formatUsd(usd)} more` : `${formatUsd(-usd)} less`
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`
}
