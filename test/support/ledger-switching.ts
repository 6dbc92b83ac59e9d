// Random changes of lanes: switches that wait, are given up, are made, and overtake each other.
import type { Lane } from '@pointsman/core/domain/lane'
import type { LaneSwitch, Ledger, LedgerState, SwitchEpochs } from '@pointsman/core/ports/ledger'
import fc from 'fast-check'

export const partitions = [0, 1, 2]

/** That of the switch which is waiting, if there is one; else, or with `other`, so much is added to the current epoch. */
interface EpochChoice {
  readonly other: boolean
  readonly ahead: number
}

export type SwitchingCommand =
  | { readonly type: 'drain'; readonly epochBehind: number; readonly epoch: EpochChoice }
  | { readonly type: 'abort'; readonly epoch: EpochChoice }
  | {
      readonly type: 'switch'
      readonly epochBehind: number
      readonly epoch: EpochChoice
      readonly lanes: readonly (readonly [number, Lane])[]
      readonly defaultLane: Lane
      readonly release: LaneSwitch['release']
    }

/** What was asked of a switch. */
export type Change =
  | { readonly type: 'drain'; readonly change: SwitchEpochs }
  | { readonly type: 'abort'; readonly change: Pick<SwitchEpochs, 'epoch'> }
  | { readonly type: 'switch'; readonly change: LaneSwitch }

export const lane = fc.constantFrom<Lane>('realtime', 'batch')
export const mostlyCurrent = fc.oneof(
  { arbitrary: fc.constant(0), weight: 8 },
  { arbitrary: fc.constant(1), weight: 1 }
)
export const mostlyFalse = mostlyCurrent.map(behind => behind === 1)

/** Not in order, so that some are overtaken. */
const ahead = fc.constantFrom(1, 2, 3, 3, 5)
const epoch = fc.record({ other: mostlyFalse, ahead })

export const switching: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<SwitchingCommand>])[] = [
  [1, fc.record({ type: fc.constant('drain'), epochBehind: mostlyCurrent, epoch })],
  [
    1,
    fc.record({
      type: fc.constant('abort'),
      epoch: fc.record({ other: mostlyFalse, ahead: fc.oneof(ahead, fc.constantFrom(-1, 0)) })
    })
  ],
  [
    2,
    fc.record({
      type: fc.constant('switch'),
      epochBehind: mostlyCurrent,
      epoch,
      lanes: fc.array(fc.tuple(fc.constantFrom(...partitions), lane), { maxLength: 3 }),
      defaultLane: lane,
      release: fc.constantFrom('open', 'unsent')
    })
  ]
]

export function isSwitching(command: { readonly type: string }): command is SwitchingCommand {
  return command.type === 'drain' || command.type === 'abort' || command.type === 'switch'
}

/** @param state - of the ledger that the command is for. */
export function changeOf(command: SwitchingCommand, state: LedgerState): Change {
  const waiting = command.epoch.other ? undefined : state.draining?.epoch
  const wanted = waiting ?? state.epoch + command.epoch.ahead
  if (command.type === 'abort') return { type: 'abort', change: { epoch: wanted } }

  const epochs = { expectedEpoch: state.epoch - command.epochBehind, epoch: wanted }
  if (command.type === 'drain') return { type: 'drain', change: epochs }
  const { defaultLane, release } = command
  return { type: 'switch', change: { ...epochs, lanes: new Map(command.lanes), defaultLane, release } }
}

export async function carryOut(ledger: Ledger, { type, change }: Change): Promise<unknown> {
  switch (type) {
    case 'drain':
      return ledger.drain(change)
    case 'abort':
      return ledger.abortSwitch(change.epoch)
    case 'switch':
      return ledger.switchLanes(change)
  }
}
