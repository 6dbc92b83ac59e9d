// Carries a recorded switch on by one step. Every step may be repeated, by this controller or another: the ledger knows
// a switch by its epoch, and of several outcomes the first counts.
import type { SwitchOutcome } from '@pointsman/core/ports/control-log'
import type { Handoff, Ledger, SwitchRefusal } from '@pointsman/core/ports/ledger'
import type { Clock } from '@pointsman/core/ports/clock'
import type { HitFailpoint } from '@pointsman/core/runtime/failpoint'
import type { ControlBook, RecordedSwitch } from './control-book.ts'
import { leftToDrain } from './describe-switch.ts'

export interface CarryOutDeps {
  readonly ledger: Ledger
  readonly book: ControlBook
  readonly clock: Pick<Clock, 'nowMs'>
  readonly hit: HitFailpoint
  /** Names this controller in outcomes that nobody asked for. */
  readonly self: string
}

type Ending = Pick<SwitchOutcome, 'result' | 'because' | 'actor'> & { readonly handoff?: Handoff }

/** Resolves when the switch has ended, and that is recorded; or when it drains, and something is left. */
export async function carryOut(
  recorded: RecordedSwitch,
  deps: CarryOutDeps,
  signal: AbortSignal
): Promise<void> {
  const { clock, hit, ledger, self } = deps
  const { epoch, intent } = recorded
  if (clock.nowMs() > intent.atMs + intent.deadlineMs) {
    if ((await ledger.abortSwitch(epoch)) === 'aborted') {
      const because = `it had not cut after ${Math.round(intent.deadlineMs / 1000)} s`
      await end(recorded, { result: 'aborted', because, actor: self }, deps, signal)
      return
    }
  } else if (intent.strategy === 'drain') {
    const draining = await ledger.drain({ expectedEpoch: intent.expectedEpoch, epoch })
    if (draining.kind === 'draining') {
      hit('ctl.drain')
      const left = leftToDrain(await ledger.survey())
      if (left.requests + left.jobs > 0) return
    }
  }
  const cut = await ledger.switchLanes({
    expectedEpoch: intent.expectedEpoch,
    epoch,
    lanes: intent.lanes,
    defaultLane: intent.defaultLane,
    release: intent.strategy === 'force' ? 'unsent' : 'open'
  })
  if (cut.kind === 'switched') hit('ctl.fence')
  const { actor } = intent
  const ending: Ending =
    cut.kind === 'switched'
      ? { result: 'completed', because: 'the lanes are switched', actor, handoff: cut.handoff }
      : { ...endOf(cut), actor: self }
  await end(recorded, ending, deps, signal)
}

/** Records that a switch cannot be made. */
export async function refuse(
  recorded: RecordedSwitch,
  because: string,
  deps: CarryOutDeps,
  signal: AbortSignal
): Promise<void> {
  await end(recorded, { result: 'refused', because, actor: deps.self }, deps, signal)
}

/** Ends a switch that has not cut. @returns false when it has. */
export async function abort(
  recorded: RecordedSwitch,
  by: { readonly actor: string; readonly reason: string },
  deps: CarryOutDeps,
  signal: AbortSignal
): Promise<boolean> {
  if ((await deps.ledger.abortSwitch(recorded.epoch)) === 'passed') return false
  await end(recorded, { result: 'aborted', because: by.reason, actor: by.actor }, deps, signal)
  return true
}

async function end(
  { epoch, intent }: RecordedSwitch,
  { handoff, ...ending }: Ending,
  { book, clock, hit }: CarryOutDeps,
  signal: AbortSignal
): Promise<void> {
  const atMs = clock.nowMs()
  const outcome: SwitchOutcome = {
    kind: 'outcome',
    switchId: intent.switchId,
    epoch,
    ...ending,
    atMs,
    tookMs: Math.max(0, atMs - intent.atMs),
    frontiers: handoff?.frontiers ?? new Map(),
    released: handoff?.released ?? 0,
    cancelled: handoff?.cancelled ?? 0
  }
  await book.append(outcome, signal)
  hit('ctl.finish')
}

function endOf({ epoch, reason }: SwitchRefusal): Pick<SwitchOutcome, 'result' | 'because'> {
  switch (reason) {
    case 'epoch':
      return { result: 'refused', because: `the switch of epoch ${epoch} came first` }
    case 'draining':
      return { result: 'refused', because: 'another switch was draining' }
    case 'aborted':
      return { result: 'aborted', because: 'it was aborted before it began' }
  }
}
