import { formatCount, formatDuration, formatUsd } from '../../cli/format.ts'
import type { SwitchShape } from '../switch-report.ts'
import { isAtProvider } from './analyse-jobs.ts'
import type { Prospect, Recommendation, StrategyOutlook } from './analysis-report.ts'

/** A share of all that is not settled. */
const nearlyAll = 0.9
/** What one may not want to wait for. */
const longMs = 3_600_000

/**
 * One strategy, by these rules; the first that fits:
 * 1. nothing to change, or no strategy possible: none;
 * 2. to realtime, jobs that were not sent and none that runs: force, which then cancels nothing and takes them along;
 * 3. else detach, which loses nothing and stops nothing. To realtime with nearly all documents in jobs that are hours
 *    from their end, it is said what force would cost and gain: how urgent they are, only a person knows.
 * Drain is for those who need the old lane empty before the cut: it stops admission, so no rule asks for it.
 * Never what is impossible.
 */
export function recommend(prospect: Prospect): Recommendation {
  if (prospect.unchanged) return none('there is nothing to do: the lanes are as wished for')
  const possible = prospect.strategies.filter(outlook => outlook.possible)
  const find = (strategy: SwitchShape['strategy']): StrategyOutlook | undefined =>
    possible.find(outlook => outlook.strategy === strategy)
  const detach = find('detach')
  if (detach === undefined) {
    return none(
      prospect.strategies.find(({ refusal }) => refusal !== null)?.refusal?.detail ?? 'none is possible'
    )
  }
  const force = prospect.target === 'realtime' ? find('force') : undefined
  const unsent = force?.released.jobs.filter(id => !detach.released.jobs.includes(id)) ?? []
  if (force !== undefined && unsent.length > 0 && force.cancelled.jobs.length === 0) {
    const reason = `${counted(unsent.length, 'job')} not sent yet, and none runs: force takes their documents along at once and cancels nothing`
    return { strategy: 'force', reason }
  }
  return { strategy: 'detach', reason: reasonOf(detach, force, prospect) }
}

function reasonOf(detach: StrategyOutlook, force: StrategyOutlook | undefined, prospect: Prospect): string {
  const { goingOn } = detach
  const running = prospect.jobs.filter(isAtProvider)
  if (goingOn.requests + goingOn.jobs.length === 0) return 'nothing is in flight that a switch could disturb'
  if (goingOn.jobs.length === 0)
    return 'requests in flight end by themselves within seconds, and nothing waits for them'
  const subject = `${counted(goingOn.jobs.length, 'job')} with ${formatCount(goingOn.documents)} documents`
  const [goes, is] = goingOn.jobs.length === 1 ? ['goes', 'is'] : ['go', 'are']
  const background = `${subject} ${goes} on in the background and ${is} paid for once`
  if (force === undefined) return background
  if (running.length > 0 && running.every(({ nearlyDone }) => nearlyDone)) {
    return `${background}; they are nearly done, so force would gain little`
  }
  const leftMs = goingOn.expectedEndMs === null ? null : goingOn.expectedEndMs - prospect.atMs
  const all = prospect.inFlight.reduce((sum, { documents }) => sum + documents, 0)
  const isLong = leftMs === null || leftMs >= longMs
  if (goingOn.documents < nearlyAll * all || !isLong) return background
  const wait = leftMs === null ? 'nobody knows how long' : `for about ${formatDuration(leftMs)} more`
  return `${subject}, nearly all there is, ${goes} on in the background, ${wait}; if that is too late, ${priceOf(force)}`
}

function priceOf({ cancelled, moves }: StrategyOutlook): string {
  const { linesAnew, atMostTwice } = cancelled
  const dearer = moves.differenceUsd === null ? '' : ` for ${formatUsd(moves.differenceUsd)} more`
  const twice = atMostTwice.usd === null ? '' : `, and at most ${formatUsd(atMostTwice.usd)} charged twice`
  return `force embeds at most ${formatCount(linesAnew)} lines anew at once${dearer}${twice}`
}

function none(reason: string): Recommendation {
  return { strategy: null, reason }
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`
}
