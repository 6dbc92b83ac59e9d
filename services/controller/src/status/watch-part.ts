import { Failure, policyOf } from '@pointsman/core/domain/failure'
import type { Clock } from '@pointsman/core/ports/clock'
import type { HealthBoard, PartName, PartState } from './health-board.ts'
import { messageOf } from '@pointsman/core/runtime/message-of'

export interface WatchedPart {
  readonly name: PartName
  /** Makes what is missing and refuses what is unfit; idempotent. */
  readonly prepare: (signal: AbortSignal) => Promise<unknown>
  readonly check: (signal: AbortSignal) => Promise<unknown>
  readonly checkEveryMs: number
  /** A part that is unfit at the start: refuse to run, or go on and say so. */
  readonly unfitAtStart: 'refuse' | 'report'
}

const firstPauseMs = 250
const maxPauseMs = 5000

/**
 * Prepares a part as soon as it answers, and checks it ever after. Runs until the signal aborts.
 * @throws {Failure} that of `prepare` when the part is unfit and that means to refuse.
 */
export async function watchPart(
  part: WatchedPart,
  deps: {
    readonly board: HealthBoard
    readonly clock: Clock
    readonly onChange: (name: PartName, state: PartState, reason: string) => void
  },
  signal: AbortSignal
): Promise<never> {
  const { board, clock, onChange } = deps
  let prepared = false
  let pauseMs = firstPauseMs
  for (;;) {
    try {
      await (prepared ? part.check(signal) : part.prepare(signal))
      prepared = true
      pauseMs = firstPauseMs
      if (board.note(part.name, 'ready')) onChange(part.name, 'ready', '')
      await clock.sleep(part.checkEveryMs, signal)
    } catch (error) {
      signal.throwIfAborted()
      const reason = messageOf(error)
      const isUnfit = error instanceof Failure && policyOf(error)[0] === 'fatal'
      if (isUnfit && !prepared && part.unfitAtStart === 'refuse') throw error
      const state = isUnfit ? 'unfit' : 'away'
      if (board.note(part.name, state, reason)) onChange(part.name, state, reason)
      await clock.sleep(pauseMs, signal)
      pauseMs = Math.min(pauseMs * 2, maxPauseMs)
    }
  }
}
