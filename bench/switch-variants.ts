import { type Lane, otherLane } from '@pointsman/core/domain/lane'
import type { SwitchStrategy } from '@pointsman/core/ports/control-log'

/** One switch of a series. */
export interface SwitchStep {
  readonly target: Lane
  readonly strategy: SwitchStrategy
  /** Of the partitions, in the target lane afterwards. */
  readonly share: number
  /** It is aborted soon after it was accepted. */
  readonly isAborted: boolean
}

export interface SwitchVariant {
  readonly name: string
  readonly switches: number
  /** From one command to the next, at least; twice as long at most. */
  readonly turnMs: number
  /** Two controllers are asked at once under different ids, and then the other one again under the same ids. */
  readonly competes: boolean
  /** @param lane - of most partitions now. */
  readonly step: (index: number, lane: Lane) => SwitchStep
}

export const strategies = ['detach', 'drain', 'force'] as const

/** After a drain or a cancellation no job is left: so long takes it until there are some again. */
const longTurnMs = 1_500
const shareSteps = 4
const abortedEvery = 3

export function variantsOf(mainSwitches: number, otherSwitches: number): readonly SwitchVariant[] {
  const of = (strategy: SwitchStrategy, name: string, switches = otherSwitches): SwitchVariant => ({
    name,
    switches,
    turnMs: strategy === 'detach' ? 500 : longTurnMs,
    competes: name === 'compete',
    step: (index, lane) => ({
      target: otherLane(lane),
      strategy,
      share: 1,
      isAborted: name === 'abort' && index % abortedEvery === abortedEvery - 1
    })
  })
  return [
    of('detach', 'detach', mainSwitches),
    of('drain', 'drain'),
    of('force', 'force'),
    { ...of('detach', 'share'), step: shareStep },
    of('drain', 'abort'),
    of('detach', 'compete')
  ]
}

/** A quarter more of the partitions each time, there and back. */
function shareStep(index: number): SwitchStep {
  const target = Math.floor(index / shareSteps) % 2 === 0 ? 'batch' : 'realtime'
  return { target, strategy: 'detach', share: ((index % shareSteps) + 1) / shareSteps, isAborted: false }
}
