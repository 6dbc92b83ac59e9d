// What a switch of one strategy would do to all that is admitted and not settled. It follows the ledger: `switchLanes` and
// `drain` in docs/protocol.md.
import type { Lane } from '@pointsman/core/domain/lane'
import type { Obligation } from '@pointsman/core/ports/ledger'
import { documentsOf } from '../../jobs/manifests.ts'
import { costOf } from '../../status/token-price.ts'
import type { SwitchShape } from '../switch-report.ts'
import type { AnalysisFacts } from './analysis-facts.ts'
import type { AnalysedJob, StrategyOutlook, Work } from './analysis-report.ts'
import { isAtProvider } from './analyse-jobs.ts'
import { costChange, type Moving, sumOf, tokensPerDocument } from './cost-change.ts'
import { cutAfter, cutAtOnce } from './cut-outlook.ts'
import { planOutlook, refusalNow } from './plan-outlook.ts'

type Strategy = SwitchShape['strategy']

const noWork: Work = { requests: 0, jobs: [], documents: 0, expectedEndMs: null, latestEndMs: null }
const noCancelled = {
  jobs: [],
  linesKept: 0,
  linesAnew: 0,
  tokensAnew: 0,
  anewUsd: 0,
  atMostTwice: { lines: 0, tokens: 0, usd: 0 }
}

/** @param backlogUsd - by how much the unread backlog becomes dearer. */
export function strategyOutlook(
  strategy: Strategy,
  facts: AnalysisFacts,
  jobs: readonly AnalysedJob[],
  backlogUsd: number | null
): StrategyOutlook {
  const { survey, target } = facts
  const { after, moving, refusal: noPlan } = planOutlook(facts, strategy)
  const refusal = noPlan ?? refusalNow(facts, moving.length === 0)
  // Neither a switch that cannot be made nor one to what is so already touches anything.
  if (moving.length === 0) return nothingDone(strategy, refusal)

  const fates = fatesOf(strategy, jobs)
  const rest = workOf(fates.kept, survey.obligations)
  const waits = strategy === 'drain'
  const laneOf = (obligation: Obligation): Lane | undefined => after.get(lowestPartition(obligation))
  const released = obligationsOf(fates.released, survey.obligations)
  const toTarget = released.filter(obligation => laneOf(obligation) === target)
  const cancelled = cancelledOf(fates.cancelled, facts)

  const moves = costChange(
    [
      ...toTarget.map(obligation => movingOf(obligation, 'batch', target)),
      ...survey.obligations
        .filter(({ kind }) => kind === 'orphan')
        .flatMap(orphan => {
          const from = survey.state.partitions.get(lowestPartition(orphan))?.lane
          return from !== undefined && from !== target && laneOf(orphan) === target
            ? [movingOf(orphan, from, target)]
            : []
        }),
      {
        documents: cancelled.linesAnew,
        tokens: cancelled.tokensAnew ?? undefined,
        from: 'batch',
        to: target
      }
    ],
    tokensPerDocument(survey),
    facts.jobTerms.prices
  )
  return {
    strategy,
    possible: refusal === null,
    refusal,
    cut: waits ? cutAfter(rest, facts) : cutAtOnce(facts),
    waitedFor: waits ? rest : noWork,
    goingOn: waits ? noWork : rest,
    released: {
      jobs: fates.released.map(({ id }) => id),
      documents: sum(released.map(documentsOf)),
      toTarget: sum(toTarget.map(documentsOf))
    },
    cancelled,
    moves,
    differenceUsd: sumOf([backlogUsd, moves.differenceUsd])
  }
}

function nothingDone(strategy: Strategy, refusal: StrategyOutlook['refusal']): StrategyOutlook {
  return {
    strategy,
    possible: refusal === null,
    refusal,
    cut: null,
    waitedFor: noWork,
    goingOn: noWork,
    released: { jobs: [], documents: 0, toTarget: 0 },
    cancelled: noCancelled,
    moves: { documents: 0, tokens: 0, nowUsd: 0, thenUsd: 0, differenceUsd: 0 },
    differenceUsd: 0
  }
}

interface Fates {
  readonly released: readonly AnalysedJob[]
  readonly cancelled: readonly AnalysedJob[]
  readonly kept: readonly AnalysedJob[]
}

function fatesOf(strategy: Strategy, jobs: readonly AnalysedJob[]): Fates {
  const isForced = strategy === 'force'
  const unsent: readonly string[] = isForced ? ['open', 'sealed', 'uploaded'] : ['open']
  const released = jobs.filter(({ state }) => unsent.includes(state))
  const cancelled = jobs.filter(job => isForced && isAtProvider(job) && job.order !== 'abandon')
  const kept = jobs.filter(job => !released.includes(job) && !cancelled.includes(job))
  return { released, cancelled, kept }
}

function workOf(jobs: readonly AnalysedJob[], obligations: readonly Obligation[]): Work {
  const requests = obligations.filter(({ kind }) => kind === 'request')
  return {
    requests: requests.length,
    jobs: jobs.map(({ id }) => id),
    documents: sum([...requests.map(documentsOf), ...jobs.map(({ documents }) => documents)]),
    expectedEndMs: latest(jobs.map(job => job.expectedEndMs)),
    latestEndMs: latest(jobs.map(job => job.latestEndMs))
  }
}

function cancelledOf(
  jobs: readonly AnalysedJob[],
  { jobTerms: { prices }, target }: AnalysisFacts
): StrategyOutlook['cancelled'] {
  if (jobs.length === 0) return noCancelled
  const linesAnew = sum(jobs.map(linesLeft))
  const tokensAnew = sumOf(
    jobs.map(job => (job.tokens === null ? null : (job.tokens * linesLeft(job)) / Math.max(1, job.lines.all)))
  )
  const usd = (lane: Lane): number | null =>
    tokensAnew === null ? null : (costOf(tokensAnew, prices[lane]) ?? null)
  return {
    jobs: jobs.map(({ id }) => id),
    linesKept: sum(jobs.map(({ lines }) => lines.done)),
    linesAnew,
    tokensAnew,
    anewUsd: usd(target),
    atMostTwice: { lines: linesAnew, tokens: tokensAnew, usd: usd('batch') }
  }
}

/** Lines that failed are embedded elsewhere whatever is switched. */
function linesLeft({ lines: { all, done, failed } }: AnalysedJob): number {
  return Math.max(0, all - done - failed)
}

function movingOf(obligation: Obligation, from: Lane, to: Lane): Moving {
  const tokens = obligation.job?.tokens
  return { documents: documentsOf(obligation), tokens: tokens === 0 ? undefined : tokens, from, to }
}

function obligationsOf(
  jobs: readonly AnalysedJob[],
  obligations: readonly Obligation[]
): readonly Obligation[] {
  const ids = new Set(jobs.map(({ id }) => id))
  return obligations.filter(({ id }) => ids.has(id))
}

/** Its lane is the one that may adopt an orphan. */
function lowestPartition({ parts }: Obligation): number {
  return Math.min(...parts.keys())
}

/** Null when there is none, or one of them is not known. */
function latest(timesMs: readonly (number | null)[]): number | null {
  return timesMs.length === 0 ? null : timesMs.reduce(later)
}

function later(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.max(a, b)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
