// How the lanes change: drain, abort, and the cut itself.
import type { Handoff, LaneSwitch, Ledger, SwitchEpochs, SwitchRefusal } from '../../ports/ledger.ts'
import { cancelJobs, releaseManifests } from './ledger-manifests.ts'
import type { MemoryLedgerState } from './ledger-state.ts'

export function drain(
  state: MemoryLedgerState,
  change: SwitchEpochs,
  nowMs: number
): Awaited<ReturnType<Ledger['drain']>> {
  const refusal = refuse(state, change)
  if (refusal !== undefined) return refusal
  if (state.draining === undefined) {
    state.draining = { epoch: change.epoch, sinceMs: nowMs }
    state.drained = releaseManifests(state, ['open'])
  }
  return { kind: 'draining' }
}

export function abortSwitch(state: MemoryLedgerState, epoch: number): 'aborted' | 'passed' {
  if (state.epoch >= epoch) return 'passed'
  state.aborted = Math.max(state.aborted, epoch)
  if (state.draining !== undefined && state.draining.epoch <= epoch) {
    state.draining = undefined
    state.drained = 0
  }
  return 'aborted'
}

export function switchLanes(
  state: MemoryLedgerState,
  change: LaneSwitch,
  nowMs: number
): Awaited<ReturnType<Ledger['switchLanes']>> {
  // An epoch belongs to one switch, so this is its caller, who missed the answer.
  const { handoff } = state
  if (handoff !== undefined && handoff.epoch === change.epoch) return { kind: 'switched', handoff }
  const refusal = refuse(state, change)
  if (refusal !== undefined) return refusal

  state.epoch = change.epoch
  state.draining = undefined
  state.defaultLane = change.defaultLane
  const admittedMs = new Map<number, undefined>()
  for (const [partition, lane] of change.lanes) {
    const record = state.partitions.get(partition)
    if (record === undefined || record.lane === lane) continue
    record.lane = lane
    admittedMs.set(partition, undefined)
  }
  const isForced = change.release === 'unsent'
  const atCut = releaseManifests(state, isForced ? ['open', 'sealed', 'uploaded'] : ['open'])
  const released = state.drained + atCut
  state.drained = 0
  const cancelled = isForced ? cancelJobs(state) : 0
  const frontiers = new Map(byNumber(state.partitions).map(([p, { frontier }]) => [p, frontier]))
  const cut: Handoff = {
    epoch: change.epoch,
    cutMs: nowMs,
    frontiers,
    admittedMs: new Map(byNumber(admittedMs)),
    released,
    cancelled
  }
  state.handoff = cut
  return { kind: 'switched', handoff: cut }
}

/** Notes that the new lanes of these partitions have begun. */
export function noteTakeover(state: MemoryLedgerState, partitions: readonly number[], nowMs: number): void {
  const { handoff } = state
  const first = partitions.filter(p => handoff?.admittedMs.has(p) && handoff.admittedMs.get(p) === undefined)
  if (handoff === undefined || first.length === 0) return
  const admittedMs = new Map(handoff.admittedMs)
  for (const partition of first) admittedMs.set(partition, nowMs)
  state.handoff = { ...handoff, admittedMs }
}

function refuse(state: MemoryLedgerState, { epoch, expectedEpoch }: SwitchEpochs): SwitchRefusal | undefined {
  const refused = (reason: SwitchRefusal['reason']): SwitchRefusal => ({
    kind: 'refused',
    reason,
    epoch: state.epoch
  })
  if (state.epoch !== expectedEpoch) return refused('epoch')
  if (epoch <= state.aborted) return refused('aborted')
  if (state.draining !== undefined && state.draining.epoch !== epoch) return refused('draining')
  return undefined
}

function byNumber<Value>(entries: Iterable<[number, Value]>): [number, Value][] {
  return [...entries].sort(([a], [b]) => a - b)
}
