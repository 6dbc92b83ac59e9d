// What all instances have at the provider, as the ledger knows it.
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { JobOrder } from '@pointsman/core/ports/job'
import type { Obligation, Survey } from '@pointsman/core/ports/ledger'
import type { BatchDeps } from './batch-deps.ts'
import type { Manifest } from './manifest.ts'

type BoardDeps = Pick<BatchDeps, 'ledger' | 'gates' | 'options'>

/**
 * May one more job be submitted? Its tokens have to fit beside those that are enqueued, unless it is alone. Two instances
 * that ask at once may both be told yes: the provider then refuses one, which waits.
 */
export async function hasRoomForJob(
  manifest: Manifest,
  deps: BoardDeps,
  signal: AbortSignal
): Promise<boolean> {
  const { maxEnqueuedTokens, maxJobs } = deps.options
  const jobs = manifestsIn(await look(deps, signal)).filter(
    ({ id, state }) => id !== manifest.id && (state === 'submitting' || state === 'submitted')
  )
  if (jobs.length === 0) return true
  const enqueued = jobs.reduce((sum, { job }) => sum + (job?.tokens ?? 0), 0)
  return jobs.length < maxJobs && enqueued + manifest.job.tokens <= maxEnqueuedTokens
}

/** What an operator ordered of this job, and the ledger time by then. */
export async function orderOf(
  id: ObligationId,
  deps: BoardDeps,
  signal: AbortSignal
): Promise<{ readonly order: JobOrder | ''; readonly nowMs: number }> {
  const survey = await look(deps, signal)
  const order = manifestsIn(survey).find(manifest => manifest.id === id)?.job?.order ?? ''
  return { order, nowMs: survey.nowMs }
}

/** For what is noted of a job: it is read by others, and no two clocks need agree. */
export async function ledgerTimeMs(deps: BoardDeps, signal: AbortSignal): Promise<number> {
  return (await look(deps, signal)).nowMs
}

async function look({ gates, ledger }: BoardDeps, signal: AbortSignal): Promise<Survey> {
  return gates.ledger.run(() => ledger.survey(), signal)
}

function manifestsIn({ obligations }: Survey): readonly Obligation[] {
  return obligations.filter(({ kind }) => kind === 'manifest')
}
