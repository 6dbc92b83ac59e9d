// Everything that a ledger tells of itself, in a form in which two ledgers can be compared: times, which differ, become
// whether they have come.
import type { Ledger, Obligation } from '@pointsman/core/ports/ledger'
import { contents, docKeys } from './ledger-commands.ts'

export async function dumpLedger(ledger: Ledger): Promise<unknown> {
  const { state, nowMs, obligations, instances, progress, counts } = await ledger.survey()
  const [latest, processed, watermarks, adoptable, parts] = await Promise.all([
    ledger.latest(docKeys),
    ledger.processed(contents),
    ledger.watermarks(),
    ledger.adoptable(['request', 'orphan', 'manifest'], 1000),
    Promise.all(obligations.map(({ id }) => ledger.parts(id)))
  ])
  const superseded = await Promise.all(parts.map(list => ledger.superseded(list)))
  const { pause } = state
  return {
    state: {
      ...state,
      ledgerId: '',
      pause: pause === undefined ? undefined : { ...pause, sinceMs: 0 },
      partitions: [...state.partitions]
    },
    progress: [...progress],
    watermarks: [...watermarks],
    obligations: obligations.map((obligation, index) => ({
      ...timeless(obligation, nowMs),
      parts: [...obligation.parts],
      all: parts[index],
      superseded: superseded[index]
    })),
    adoptable,
    instances: instances.map(instance => ({
      ...instance,
      leaseUntilMs: instance.leaseUntilMs <= nowMs ? 'over' : 'later',
      members: [...instance.members].sort(([a], [b]) => a.localeCompare(b))
    })),
    counts,
    latest,
    processed
  }
}

/** An answer without its times. */
export function timelessAnswer(answer: unknown): unknown {
  const isTaken = typeof answer === 'object' && answer !== null && 'kind' in answer && answer.kind === 'taken'
  if (!isTaken || !('obligation' in answer)) return answer
  return { ...answer, obligation: timeless(answer.obligation as Obligation, 0) }
}

function timeless(obligation: Obligation, nowMs: number): object {
  return {
    ...obligation,
    sinceMs: obligation.sinceMs > 0 ? 'past' : 'never',
    notBeforeMs: obligation.notBeforeMs === 0 ? 'at once' : obligation.notBeforeMs > nowMs ? 'later' : 'come'
  }
}
