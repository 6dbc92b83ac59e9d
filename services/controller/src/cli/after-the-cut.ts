import { jobList } from '../jobs/job-report.ts'
import { type LagReport, lagReport } from '../lag/lag-report.ts'
import type { SwitchReport } from '../switching/switch-report.ts'
import type { CliContext } from './cli-context.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { formatCount, formatDuration } from './format.ts'
import { LiveLine } from './live-line.ts'

const answerMs = 30_000
/** The new lane is awake: more would be worth a look by itself. */
const admissionMs = 2000
const lookForAdmissionMs = 100
const lookEveryMs = 1000

/** How the new lane took over. */
export interface Takeover {
  /** From the cut to the first admission; null when there was nothing to admit, or not yet. */
  readonly firstAdmissionMs: number | null
  /** From the cut until every partition that changed and had something to admit had its first; null: not yet. */
  readonly allPartitionsMs: number | null
  /** Documents that waited for the new lane at the cut or since. */
  readonly toAdmit: number
  /** At the provider, begun before the cut. */
  readonly jobsGoingOn: number
}

/** Waits a moment for the new lane to begin, where there is anything to begin with. */
export async function lookAtTakeover(
  { api, clock, interrupted, within }: CliContext,
  { epoch }: SwitchReport
): Promise<Takeover> {
  const untilMs = clock.nowMs() + admissionMs
  for (;;) {
    const lag = await api.get('/v1/lag', lagReport, within(answerMs))
    const found = takeoverOf(lag, epoch)
    const isComplete = found.toAdmit === 0 || found.allPartitionsMs !== null
    if (isComplete || clock.nowMs() >= untilMs || interrupted.aborted) {
      const { live } = await api.get('/v1/jobs', jobList, within(answerMs), { past: 0 })
      const jobsGoingOn = live.filter(({ state }) => state === 'submitting' || state === 'submitted').length
      return { ...found, jobsGoingOn }
    }
    await clock.sleep(lookForAdmissionMs, interrupted).catch(() => undefined)
  }
}

/** Until nothing that was admitted before the cut is open. @throws {CliError} not in time. */
export async function waitForEarlier(
  { api, clock, interrupted, terminal, within }: CliContext,
  { frontiers, partitions }: SwitchReport,
  timeoutMs: number
): Promise<void> {
  const live = new LiveLine(terminal)
  const untilMs = clock.nowMs() + timeoutMs
  try {
    for (;;) {
      const lag = await api.get('/v1/lag', lagReport, within(answerMs))
      const left = earlierThan(frontiers, partitions, lag)
      if (left === 0) return
      const { live: jobs } = await api.get('/v1/jobs', jobList, within(answerMs), { past: 0 })
      live.show(progressOf(left, jobs))
      if (clock.nowMs() >= untilMs) throw late(left, timeoutMs)
      await clock.sleep(lookEveryMs, interrupted)
    }
  } catch (error) {
    if (!interrupted.aborted) throw error
    const hint = '`pointsman lag` and `pointsman jobs` show what is left'
    throw new CliError(exitCodes.failed, 'INTERRUPTED', 'switched; what is left goes on by itself', hint)
  } finally {
    live.clear()
  }
}

function takeoverOf({ partitions }: LagReport, epoch: number): Omit<Takeover, 'jobsGoingOn'> {
  const moved = partitions
    .map(({ handoff }) => handoff)
    .filter(handoff => handoff !== null)
    .filter(handoff => handoff.epoch === epoch && handoff.toAdmit > 0)
  const afterMs = moved.map(({ admittedAfterMs }) => admittedAfterMs).filter(ms => ms !== null)
  const isAll = moved.length > 0 && afterMs.length === moved.length
  return {
    firstAdmissionMs: afterMs.length === 0 ? null : Math.min(...afterMs),
    allPartitionsMs: isAll ? Math.max(...afterMs) : null,
    toAdmit: moved.reduce((sum, { toAdmit }) => sum + toAdmit, 0)
  }
}

function earlierThan(
  frontiers: SwitchReport['frontiers'],
  changed: readonly number[],
  { partitions }: LagReport
): number {
  const left = partitions
    .filter(({ partition }) => changed.includes(partition))
    .map(({ outstanding, partition, watermark }) =>
      Math.min(outstanding, Math.max(0, (frontiers[String(partition)] ?? 0) - watermark))
    )
  return left.reduce((sum, count) => sum + count, 0)
}

function progressOf(
  left: number,
  jobs: readonly { readonly lines: { all: number; done: number } }[]
): string {
  const all = jobs.reduce((sum, { lines }) => sum + lines.all, 0)
  const done = jobs.reduce((sum, { lines }) => sum + lines.done, 0)
  const inJobs =
    jobs.length === 0 ? '' : `; ${jobs.length} jobs, ${formatCount(done)}/${formatCount(all)} lines`
  return `${formatCount(left)} documents from before the cut are left${inJobs}`
}

function late(left: number, timeoutMs: number): CliError {
  const message = `switched, but after ${formatDuration(timeoutMs)} ${formatCount(left)} documents from before are left`
  return new CliError(exitCodes.timedOut, 'TIMED_OUT', message, 'see `pointsman lag` and `pointsman jobs`')
}
