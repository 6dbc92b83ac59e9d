// Plays random histories on the specification, and has each step judged. A judge sees only the port.
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryLedgerServer } from '@pointsman/core/adapters/memory/ledger-server'
import type { Ledger, Part, PartPlace, Survey } from '@pointsman/core/ports/ledger'
import fc from 'fast-check'
import { test } from 'vitest'
import type { Command } from './ledger-commands.ts'
import { histories } from './ledger-commands.ts'
import type { Step } from './ledger-history.ts'
import { LedgerHistory } from './ledger-history.ts'

export interface Moment {
  readonly ledger: Ledger
  readonly step: Step
  readonly before: Survey
  readonly after: Survey
  /** Of all obligations. */
  readonly parts: readonly Part[]
  /** By place: the obligation that has the part, before and after. */
  readonly heldBefore: ReadonlyMap<string, string>
  readonly heldAfter: ReadonlyMap<string, string>
}

/** @param judge - makes a judge for one history. */
export function always(name: string, judge: () => (moment: Moment) => void | Promise<void>): void {
  test(name, async () => {
    await fc.assert(
      fc.asyncProperty(histories(60), async commands => play(commands, judge())),
      { numRuns: 150, interruptAfterTimeLimit: 4_000 }
    )
  })
}

async function play(
  commands: readonly Command[],
  judge: (moment: Moment) => void | Promise<void>
): Promise<void> {
  let nowMs = 0
  const ledger = new MemoryLedger(new MemoryLedgerServer(() => ++nowMs))
  await ledger.open('realtime')
  const history = new LedgerHistory(ledger)
  let heldBefore: ReadonlyMap<string, string> = new Map()
  for (const command of commands) {
    const before = await ledger.survey()
    const step = await history.step(command)
    const after = await ledger.survey()
    const lists = await Promise.all(after.obligations.map(({ id }) => ledger.parts(id)))
    const heldAfter = new Map(
      after.obligations.flatMap(({ id }, index) =>
        (lists[index] ?? []).map((part): [string, string] => [placeOf(part), id])
      )
    )
    await judge({ ledger, step, before, after, parts: lists.flat(), heldBefore, heldAfter })
    heldBefore = heldAfter
  }
}

export function placeOf({ partition, offset }: PartPlace): string {
  return `${partition}:${offset}`
}

export function needsVector({ action }: Part): boolean {
  return action !== 'delete'
}
