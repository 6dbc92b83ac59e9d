// What all instances have at the provider, as the ledger knows it.
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { JobOrder } from '@pointsman/core/ports/job'
import type { Obligation } from '@pointsman/core/ports/ledger'
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
  const jobs = (await manifests(deps, signal)).filter(
    ({ id, state }) => id !== manifest.id && (state === 'submitting' || state === 'submitted')
  )
  if (jobs.length === 0) return true
  const enqueued = jobs.reduce((sum, { job }) => sum + (job?.tokens ?? 0), 0)
  return jobs.length < maxJobs && enqueued + manifest.job.tokens <= maxEnqueuedTokens
}

/** What an operator ordered of this job. */
export async function orderOf(
  id: ObligationId,
  deps: BoardDeps,
  signal: AbortSignal
): Promise<JobOrder | ''> {
  return (await manifests(deps, signal)).find(manifest => manifest.id === id)?.job?.order ?? ''
}

async function manifests({ gates, ledger }: BoardDeps, signal: AbortSignal): Promise<readonly Obligation[]> {
  const { obligations } = await gates.ledger.run(() => ledger.survey(), signal)
  return obligations.filter(({ kind }) => kind === 'manifest')
}
