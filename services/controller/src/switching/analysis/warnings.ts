import { formatCount, formatDuration } from '../../cli/format.ts'
import type { AnalysisFacts } from './analysis-facts.ts'
import type { Prospect, Warning } from './analysis-report.ts'
import { switchUnderWay } from './plan-outlook.ts'
import { orphanWarning } from './orphan-warning.ts'
import { retentionWarning } from './retention-warning.ts'

type Rule = (prospect: Prospect, facts: AnalysisFacts) => Warning | undefined

const all: Warning['strategies'] = ['detach', 'drain', 'force']
const namedAtMost = 5

/** What one should know before the switch, the gravest first. Pure. */
export function warningsOf(prospect: Prospect, facts: AnalysisFacts): Warning[] {
  return rules.map(rule => rule(prospect, facts)).filter(warning => warning !== undefined)
}

const rules: readonly Rule[] = [
  function noPartitions({ strategies }) {
    return refused('NO_PARTITIONS', strategies, 'start an embedder and try again')
  },
  function underWay(_, facts) {
    const text = switchUnderWay(facts)
    return text === undefined
      ? undefined
      : {
          code: 'SWITCH_UNDER_WAY',
          strategies: all,
          text,
          remedy: 'wait for its end, or end it with `pointsman switch abort`'
        }
  },
  function shareFalls({ strategies }) {
    return refused(
      'SHARE_FALLS',
      strategies,
      'switch the other way, with the share that the other lane shall have'
    )
  },
  function standbyNotReady({ standby: { lane, ready, reasons }, unchanged }) {
    if (ready || unchanged) return undefined
    return {
      code: 'STANDBY_NOT_READY',
      strategies: all,
      text: `the ${lane} lane is not ready: ${reasons.join('; ')}`,
      remedy: 'mend that, or switch with --even-if-unready: its documents wait until it is'
    }
  },
  function otherLaneAway({ otherLane: { lane, instances }, strategies }) {
    const left = strategies.find(({ strategy }) => strategy === 'drain')?.waitedFor
    const waiting = lane === 'batch' ? (left?.jobs.length ?? 0) : (left?.requests ?? 0)
    if (waiting === 0 || instances.some(({ alive }) => alive)) return undefined
    return {
      code: 'OTHER_LANE_AWAY',
      strategies: all,
      text: `no embedder-${lane} is alive, and ${counted(waiting, lane === 'batch' ? 'job' : 'request')} of that lane did not end`,
      remedy:
        lane === 'batch'
          ? 'start one: only it reads the results of jobs and cancels them; a drain would wait for it'
          : 'start one; else the other lane takes over what it left'
    }
  },
  function paused(_, { survey: { state, nowMs } }) {
    const { pause } = state
    if (pause === undefined) return undefined
    return {
      code: 'PAUSED',
      strategies: all,
      text: `admission is paused by ${pause.actor} for ${formatDuration(Math.max(0, nowMs - pause.sinceMs))}: ${pause.reason}`,
      remedy: 'the switch can be made; nothing is admitted in either lane until `pointsman resume`'
    }
  },
  function staleJobs({ jobs }) {
    const stale = jobs.filter(job => job.stale)
    const [oldest] = stale
    if (oldest === undefined) return undefined
    return {
      code: 'STALE_JOBS',
      strategies: all,
      text: `${counted(stale.length, 'job')} past our own deadline, the oldest ${formatDuration(oldest.ageMs)} old: ${named(stale)}`,
      remedy:
        'see `pointsman jobs show ID`; `jobs cancel ID` ends one, `jobs abandon ID` gives up one that does not end; drain waits for them'
    }
  },
  function nearlyDone({ jobs, strategies }) {
    const cancelled = strategies.find(({ strategy }) => strategy === 'force')?.cancelled.jobs ?? []
    const near = jobs.filter(job => job.nearlyDone && cancelled.includes(job.id))
    if (near.length === 0) return undefined
    return {
      code: 'NEARLY_DONE',
      strategies: ['force'],
      text: `${counted(near.length, 'job')} nearly done (${linesOf(near)}): force would gain little`,
      remedy: 'take detach: they end in the background'
    }
  },
  function forceGainsNothing({ strategies, target }) {
    const cancelled = strategies.find(({ strategy }) => strategy === 'force')?.cancelled.jobs ?? []
    if (target !== 'batch' || cancelled.length === 0) return undefined
    return {
      code: 'FORCE_GAINS_NOTHING',
      strategies: ['force'],
      text: `force cancels ${counted(cancelled.length, 'job')}, and what is left of them goes into new jobs`,
      remedy: 'take detach: they end in the background'
    }
  },
  orphanWarning,
  function drainTooLong({ strategies, deadlineMs }) {
    const drain = strategies.find(({ strategy }) => strategy === 'drain')
    if (drain?.cut == null || drain.cut.beforeDeadline === true) return undefined
    const { beforeDeadline, expectedMs, latestMs } = drain.cut
    const atLatest = latestMs === null ? '' : `, ${formatDuration(latestMs)} at the latest`
    const text =
      beforeDeadline === null
        ? `how long a drain takes is not known${atLatest}: it is aborted after ${formatDuration(deadlineMs)}`
        : `a drain takes about ${formatDuration(expectedMs)}${atLatest}: it is aborted after ${formatDuration(deadlineMs)}`
    return {
      code: 'DRAIN_TOO_LONG',
      strategies: ['drain'],
      text: `${text}, having admitted nothing meanwhile`,
      remedy: 'take detach, or a longer --deadline (at most 7 days)'
    }
  },
  retentionWarning,
  function priceUnknown(_, { basis, jobTerms: { prices } }) {
    if (prices.realtime !== undefined && prices.batch !== undefined) return undefined
    return {
      code: 'PRICE_UNKNOWN',
      strategies: all,
      text: `the price of ${basis.model} is not known: nothing is said about cost`,
      remedy: 'set EMBEDDING_USD_PER_MILLION_TOKENS for the controller'
    }
  }
]

function refused(
  code: 'NO_PARTITIONS' | 'SHARE_FALLS',
  strategies: Prospect['strategies'],
  remedy: string
): Warning | undefined {
  const refusal = strategies.find(outlook => outlook.refusal?.code === code)?.refusal
  return refusal ? { code, strategies: all, text: refusal.detail, remedy } : undefined
}

function named(jobs: readonly { readonly id: string }[]): string {
  const more = jobs.length > namedAtMost ? ` and ${formatCount(jobs.length - namedAtMost)} more` : ''
  return `${jobs
    .slice(0, namedAtMost)
    .map(({ id }) => id)
    .join(', ')}${more}`
}

function linesOf(jobs: Prospect['jobs']): string {
  const done = jobs.reduce((sum, { lines }) => sum + lines.done + lines.failed, 0)
  const lines = jobs.reduce((sum, job) => sum + job.lines.all, 0)
  return `${formatCount(done)} of ${formatCount(lines)} lines: ${named(jobs)}`
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`
}
