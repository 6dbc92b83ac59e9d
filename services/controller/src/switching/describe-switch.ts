import type { SwitchIntent } from '@pointsman/core/ports/control-log'
import type { Survey } from '@pointsman/core/ports/ledger'
import { documentsOf } from '../jobs/manifests.ts'
import type { RecordedSwitch } from './control-book.ts'
import type { SwitchReport } from './switch-report.ts'

/** What a switch that drains waits for. Orphans are the new lane's. */
export function leftToDrain({ obligations }: Pick<Survey, 'obligations'>): NonNullable<SwitchReport['left']> {
  const kept = obligations.filter(({ kind }) => kind !== 'orphan')
  return {
    requests: kept.filter(({ kind }) => kind === 'request').length,
    jobs: kept.filter(({ kind }) => kind === 'manifest').length,
    documents: kept.reduce((sum, obligation) => sum + documentsOf(obligation), 0)
  }
}

/** @param survey - of now, which tells what a switch that drains waits for. */
export function describeSwitch(
  { epoch, intent, outcome }: RecordedSwitch,
  survey?: Pick<Survey, 'obligations' | 'state'>
): SwitchReport {
  const left = outcome === undefined && survey?.state.draining?.epoch === epoch ? leftToDrain(survey) : null
  const under = left === null ? 'pending' : 'draining'
  return {
    ...wishOf(intent),
    switchId: intent.switchId,
    state: outcome?.result ?? under,
    because: outcome?.because ?? (left === null ? 'recorded, about to begin' : waitsFor(left)),
    epoch,
    expectedEpoch: intent.expectedEpoch,
    partitions: [...intent.lanes.keys()],
    acceptedMs: intent.atMs,
    deadlineAtMs: intent.atMs + intent.deadlineMs,
    endedMs: outcome?.atMs ?? null,
    tookMs: outcome?.tookMs ?? null,
    released: outcome?.released ?? 0,
    cancelled: outcome?.cancelled ?? 0,
    frontiers: Object.fromEntries(
      [...(outcome?.frontiers ?? [])].map(([partition, offset]) => [String(partition), Number(offset)])
    ),
    left
  }
}

type Wish = Pick<SwitchIntent, 'actor' | 'deadlineMs' | 'reason' | 'share' | 'strategy' | 'target'>

/** All is as wished for: nothing was recorded. */
export function describeUnchanged(wish: Wish, epoch: number, nowMs: number): SwitchReport {
  return {
    ...wishOf(wish),
    switchId: '',
    state: 'unchanged',
    because: `${wish.target} has that share of the partitions already`,
    epoch,
    expectedEpoch: epoch,
    partitions: [],
    acceptedMs: nowMs,
    deadlineAtMs: nowMs + wish.deadlineMs,
    endedMs: nowMs,
    tookMs: 0,
    released: 0,
    cancelled: 0,
    frontiers: {},
    left: null
  }
}

function wishOf({ actor, reason, share, strategy, target }: Wish) {
  return { actor, reason, share, strategy, target }
}

function waitsFor({ documents, jobs, requests }: NonNullable<SwitchReport['left']>): string {
  return `waits for ${requests} requests and ${jobs} jobs with ${documents} documents`
}
