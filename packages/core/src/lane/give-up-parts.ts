import type { ObligationId, OwnerId } from '../domain/identity.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeadLetters } from '../ports/event-log.ts'
import type { Ledger, Part } from '../ports/ledger.ts'
import type { LaneStep } from '../runtime/failpoint.ts'
import type { Gate } from '../runtime/gate.ts'
import { type LoadDeps, loadRecords, placeOf } from './load-items.ts'

export interface GiveUpDeps extends LoadDeps {
  readonly ledger: Ledger
  readonly deadLetters: DeadLetters
  readonly clock: Clock
  readonly gates: LoadDeps['gates'] & { readonly ledger: Gate }
  /** Tells the failpoints of the lane. */
  readonly reached: (step: LaneStep) => void
}

export interface GivenUp {
  readonly obligation: ObligationId
  readonly owner: OwnerId
  /** Of this obligation; jobs that came to nothing for a part before are added. */
  readonly attempts: number
  readonly parts: readonly Part[]
  readonly reason: string
}

/** Dead letter first, then settle: a crash between them only repeats the letter (R8). */
export async function giveUpParts(givenUp: GivenUp, deps: GiveUpDeps, signal: AbortSignal): Promise<void> {
  const { attempts, obligation, owner, parts, reason } = givenUp
  if (parts.length === 0) return
  const { clock, deadLetters, gates, ledger } = deps
  const records = await loadRecords(parts, deps, signal)
  const letters = parts.map(({ failures, offset, partition }) => {
    const record = records.get(placeOf({ offset, partition }))
    const origin = { partition, offset, key: record?.key, value: record?.value }
    return { ...origin, reason, attempts: attempts + failures, atMs: clock.nowMs() }
  })
  await gates.log.run(() => deadLetters.write(letters, signal), signal)
  deps.reached('dead-letter')
  const outcomes = parts.map(part => ({ part, settlement: 'dead' }) as const)
  await gates.ledger.run(() => ledger.settle(obligation, owner, outcomes, 0), signal)
}
