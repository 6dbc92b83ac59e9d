import { Failure } from '@pointsman/core/domain/failure'
import type { Lane } from '@pointsman/core/domain/lane'
import type { Instance, LedgerState } from '@pointsman/core/ports/ledger'
import { glanceAtJobs, type JobTerms } from '../jobs/describe-jobs.ts'
import type { JobBook } from '../jobs/job-book.ts'
import type { LagMonitor, LagView } from '../lag/lag-monitor.ts'
import type { Parts } from '../parts.ts'
import type { Sweeper } from '../sweeper/sweeper.ts'
import type { HealthBoard } from './health-board.ts'
import { rebuildOf } from './rebuild-report.ts'
import type { StatusReport } from './status-report.ts'
import { costOf } from './token-price.ts'

export interface StatusDeps {
  readonly parts: Pick<Parts, 'store' | 'clock' | 'names' | 'spec'>
  readonly monitor: Pick<LagMonitor, 'look'>
  readonly board: HealthBoard
  readonly version: string
  readonly jobs: Pick<JobBook, 'tokensPaidInJobs'>
  readonly jobTerms: JobTerms
  readonly sweeper: Pick<Sweeper, 'report'>
  /** Aborted when the controller stops. */
  readonly stopping: AbortSignal
}

/** Everything at a glance. Never fails because a part is away: what is not known is null. */
export async function readStatus(deps: StatusDeps, signal: AbortSignal): Promise<StatusReport> {
  const { parts, board, version, jobTerms } = deps
  const [view, index] = await Promise.all([
    known(deps.monitor.look(deps.stopping)),
    known(Promise.all([parts.store.count(signal), parts.store.unindexed(signal)]))
  ])
  const counts = view?.survey.counts
  const inJobs = view ? await known(deps.jobs.tokensPaidInJobs(view.survey)) : undefined
  return {
    namespace: parts.names.namespace,
    version,
    atMs: parts.clock.nowMs(),
    ready: board.readiness().ready,
    parts: [...board.parts()],
    model: { name: parts.spec.model, dimensions: parts.spec.dimensions },
    ledger: view ? ledgerOf(view) : null,
    instances: view ? view.survey.instances.map(instance => instanceOf(instance, view.survey.nowMs)) : [],
    standby: view ? standbysOf(view) : [],
    lag: view ? view.report : null,
    spend: counts
      ? {
          paidTokens: counts.paidTokens,
          necessaryTokens: counts.necessaryTokens,
          paidInJobs: inJobs ?? null,
          usd: inJobs === undefined ? null : spendOf(counts.paidTokens, inJobs, jobTerms)
        }
      : null,
    index: index ? { objects: index[0], unindexed: index[1] } : null,
    jobs: view ? glanceAtJobs(view.survey, jobTerms.deadlineMs) : null,
    sweeper: deps.sweeper.report(),
    deadLetters: counts ? counts.dead : null
  }
}

function spendOf(paidTokens: number, inJobs: number, { prices }: JobTerms): number | null {
  const realtime = costOf(paidTokens - inJobs, prices.realtime)
  const batch = costOf(inJobs, prices.batch)
  return realtime === undefined || batch === undefined ? null : realtime + batch
}

async function known<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}

function ledgerOf({ survey, report }: LagView): NonNullable<StatusReport['ledger']> {
  const { draining, epoch, ledgerId, pause, rebuild } = survey.state
  const realtime = report.partitions.filter(({ lane }) => lane === 'realtime').length
  const batch = report.partitions.length - realtime
  return {
    id: ledgerId,
    epoch,
    phase: rebuild !== undefined ? 'rebuilding' : draining === undefined ? 'stable' : 'draining',
    mode: modeOf(survey.state, realtime, batch),
    partitions: { realtime, batch },
    pause: pause ? { ...pause } : null,
    counts: { ...survey.counts },
    rebuild: rebuildOf(survey.state)
  }
}

function modeOf(state: LedgerState, realtime: number, batch: number): 'realtime' | 'batch' | 'mixed' {
  if (realtime > 0 && batch > 0) return 'mixed'
  if (realtime + batch === 0) return state.defaultLane
  return realtime > 0 ? 'realtime' : 'batch'
}

/** The lanes that a switch could go to: those that do not have all partitions already. */
function standbysOf({ report, survey, standbys }: LagView): StatusReport['standby'] {
  const taken = report.partitions.map(({ lane }) => lane)
  const idle = (lane: Lane): boolean =>
    taken.length === 0 ? lane !== survey.state.defaultLane : taken.some(other => other !== lane)
  return [standbys.realtime, standbys.batch].filter(({ lane }) => idle(lane))
}

function instanceOf(
  { instance, service, leaseUntilMs, trouble }: Instance,
  nowMs: number
): StatusReport['instances'][number] {
  return { instance, service, alive: leaseUntilMs > nowMs, leaseLeftMs: leaseUntilMs - nowMs, trouble }
}
