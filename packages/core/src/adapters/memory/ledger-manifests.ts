// Manifests: the obligations whose parts wait for a job at the provider. Parts come and go as those of a request do;
// what differs is told here. A manifest ends by `advance` alone, also when its last part has gone.
import type { ObligationId, OwnerId } from '../../domain/identity.ts'
import type { Job, JobOrder } from '../../ports/job.ts'
import type { Ledger, ManifestState } from '../../ports/ledger.ts'
import type { MemoryLedgerState, ObligationRecord } from './ledger-state.ts'
import { endIfEmpty, heldBy } from './ledger-state.ts'

const maxPastJobs = 1000

/** Of a manifest that nothing is known of at the provider. */
export const noJob: Job = {
  creates: 0,
  lines: 0,
  bytes: 0,
  tokens: 0,
  inputFileId: '',
  batchId: '',
  outputFileId: '',
  errorFileId: '',
  status: '',
  completed: 0,
  failed: 0,
  submittedMs: 0,
  progressMs: 0,
  endedMs: 0,
  notBeforeMs: 0,
  paidTokens: 0,
  order: ''
}

/** @param first - what it has from the obligation or the admission that its first parts come from. */
export function newManifest(
  state: MemoryLedgerState,
  id: ObligationId,
  owner: OwnerId,
  first: { readonly rank?: number; readonly sinceMs: number; readonly reason: string }
): ObligationRecord {
  const number = state.nextObligation
  state.nextObligation += 1
  const record: ObligationRecord = {
    id,
    number,
    rank: first.rank ?? number,
    sinceMs: first.sinceMs,
    movedBy: undefined,
    kind: 'manifest',
    owner,
    state: 'open',
    attempts: 0,
    inputsAtRisk: 0,
    notBeforeMs: 0,
    reason: first.reason,
    job: noJob,
    answer: undefined,
    parts: new Map(),
    joined: new Set()
  }
  state.obligations.set(id, record)
  return record
}

/** I9: while a job may run, its lines belong to it. */
export function mayRelease({ kind, state }: ObligationRecord): boolean {
  return kind !== 'manifest' || (state !== 'submitting' && state !== 'submitted')
}

export function advance(
  state: MemoryLedgerState,
  manifest: ObligationId,
  owner: OwnerId,
  [from, to]: readonly [ManifestState, ManifestState | 'archived'],
  fields: Partial<Job>,
  nowMs: number
): Awaited<ReturnType<Ledger['advance']>> {
  const record = heldBy(state, manifest, owner)
  if (record?.job === undefined) return 'gone'
  if (record.state !== from && record.state !== to) return 'refused'
  if (to === 'archived' && record.parts.size > 0) return 'refused'

  // What a job charged is told as its total, perhaps more than once: the difference is what is new.
  state.counts.paidTokens += (fields.paidTokens ?? record.job.paidTokens) - record.job.paidTokens
  record.job = { ...record.job, ...fields }
  // A file that is made anew has the lines of the parts alone.
  if (to === 'sealed' || to === 'terminal' || to === 'archived') dropPromise(state, manifest)
  if (to !== 'archived') {
    record.state = to
    return 'advanced'
  }
  state.obligations.delete(manifest)
  if (record.job.creates > 0) {
    const past = { ...record.job, manifest, sinceMs: record.sinceMs, archivedMs: nowMs }
    state.pastJobs = [past, ...state.pastJobs].slice(0, maxPastJobs)
    state.counts.jobs += 1
  }
  return 'advanced'
}

export function order(state: MemoryLedgerState, manifest: ObligationId, wanted: JobOrder): boolean {
  const record = state.obligations.get(manifest)
  if (record?.job === undefined) return false
  record.job = { ...record.job, order: wanted }
  return true
}

/**
 * Manifests of these states become orphans, for the lane that is active then to pay for.
 * @returns how many documents are in them.
 */
export function releaseManifests(state: MemoryLedgerState, states: readonly ManifestState[]): number {
  const released = [...state.obligations.values()].filter(
    record => record.kind === 'manifest' && states.some(one => one === record.state)
  )
  for (const record of released) {
    dropPromise(state, record.id)
    record.kind = 'orphan'
    record.state = 'admitted'
    record.owner = undefined
    record.job = undefined
    record.reason = 'the lane was switched before it was sent'
    endIfEmpty(state, record)
  }
  return released.reduce((sum, { parts }) => sum + parts.size, 0)
}

/** @returns how many jobs are to be cancelled; those that are given up already are none of them. */
export function cancelJobs(state: MemoryLedgerState): number {
  let cancelled = 0
  for (const record of state.obligations.values()) {
    const mayRun = record.state === 'submitting' || record.state === 'submitted'
    if (record.job === undefined || !mayRun || record.job.order === 'abandon') continue
    record.job = { ...record.job, order: 'cancel' }
    cancelled += 1
  }
  return cancelled
}

/** Nothing more will come of its job than its parts wait for. */
function dropPromise({ promised, promising }: MemoryLedgerState, manifest: ObligationId): void {
  if (promising.delete(manifest) && promising.size === 0) promised.clear()
}
