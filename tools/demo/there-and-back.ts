// The heart of the demonstration: to the other lane while documents are unread, and back while jobs are in flight.

import { otherLane } from '@pointsman/core/domain/lane'
import type { CliContext } from '../../services/controller/src/cli/cli-context.ts'
import { formatCount } from '../../services/controller/src/cli/format.ts'
import { isSettled } from '../../services/controller/src/cli/settlement.ts'
import { changeLanes, type LanesChanged, type LaneName } from './change-lanes.ts'
import { inFlight } from './job-lines.ts'
import { counted, type View, type Watch } from './watch.ts'

export interface ThereAndBackDeps {
  readonly context: CliContext
  readonly watch: Watch
  /** Jobs take seconds here; those of a real provider take up to a day, so nobody waits for one. */
  readonly isLocal: boolean
  /** The lane at the beginning, and at the end. */
  readonly home: LaneName
}

const reasons = { batch: 'half the price', realtime: 'seconds count' } as const
/** Of all documents, finished in the realtime lane before it is left. */
const realtimeShare = 0.1
/** Sent before the batch lane is left, when there are so many. */
const jobsWanted = 3

export async function thereAndBack(
  deps: ThereAndBackDeps,
  signal: AbortSignal
): Promise<readonly LanesChanged[]> {
  const { home } = deps
  const away: LaneName = otherLane(home)
  const there = await leave(home, away, deps, signal)
  try {
    return [there, await leave(away, home, deps, signal)]
  } catch (error) {
    deps.watch.say(`Stopped in the ${away} lane, in which the next start goes on; before it was ${home}.`)
    throw error
  }
}

async function leave(
  lane: LaneName,
  to: LaneName,
  { context, watch, isLocal }: ThereAndBackDeps,
  signal: AbortSignal
): Promise<LanesChanged> {
  const { done } = await watch.until(() => true, signal)
  const shown = lane === 'realtime' ? realtimeIsShown(done) : jobsAreShown
  const isTime = isLocal ? shown : isUnderLoad
  const view = await watch.until(isTime, signal)
  watch.say(`\n${stateOf(lane, view)}`)
  const changed = await changeLanes(context, to, reasons[to], signal)
  watch.say(changed.told)
  return changed
}

/** The stream has begun: a fast provider would soon be through. */
function isUnderLoad({ done, isAllSent, total, unread }: View): boolean {
  return isAllSent || unread > 0 || done < total
}

/** Some documents are finished, others unread; or nothing is left to wait for. */
function realtimeIsShown(doneBefore: number): (view: View) => boolean {
  return ({ done, isAllSent, total, unread }) => {
    if (unread === 0) return isAllSent
    return done > doneBefore && done - doneBefore >= total * realtimeShare
  }
}

/** Jobs are under way, and so many that it is worth while; or nothing is left to wait for. */
function jobsAreShown({ isAllSent, jobs, jobsSent, status, unread }: View): boolean {
  if (isAllSent && isSettled(status)) return true
  const flying = inFlight(jobs).length
  if (flying === 0) return false
  const nothingFills = jobs.live.every(({ state }) => state === 'submitted' || state === 'terminal')
  return jobsSent >= jobsWanted || (isAllSent && unread === 0 && nothingFills)
}

function stateOf(lane: LaneName, { done, jobs, total, unread }: View): string {
  const flying = inFlight(jobs).length
  const rest = unread === 0 ? 'nothing is unread' : `${formatCount(unread)} are unread`
  const sent = flying === 0 ? 'no job is in flight' : `${counted(flying, 'job')} in flight`
  const finished =
    total === 0
      ? 'nothing is new'
      : `${formatCount(done)} of ${counted(total, 'document')} are finished, ${rest}`
  return `In the ${lane} lane: ${finished}, ${sent}.`
}
