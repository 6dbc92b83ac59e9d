// Everything that a ledger tells of itself, in a form in which two ledgers can be compared: times, which differ, become
// whether they have come.
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Handoff, Ledger, Obligation, Part } from '@pointsman/core/ports/ledger'
import { contents, docKeys } from './ledger-contents.ts'

export async function dumpLedger(ledger: Ledger): Promise<unknown> {
  const { state, nowMs, obligations, instances, progress, counts } = await ledger.survey()
  const { pause, draining, handoff, rebuild } = state
  if (rebuild !== undefined) {
    // All else is refused.
    return {
      state: { ...state, ledgerId: '', rebuild: { ...rebuild, sinceMs: 0 } },
      progress,
      obligations: obligations.map(obligation => timeless(obligation, nowMs)),
      instances,
      counts,
      latest: await ledger.latest(docKeys),
      processed: await ledger.processed(contents)
    }
  }
  const [latest, processed, watermarks, adoptable, past, parts, pages] = await Promise.all([
    ledger.latest(docKeys),
    ledger.processed(contents),
    ledger.watermarks(),
    ledger.adoptable(['request', 'orphan', 'manifest'], 1000),
    ledger.pastJobs(1000),
    Promise.all(obligations.map(({ id }) => ledger.parts(id))),
    Promise.all(obligations.map(({ id }) => pagesOf(ledger, id)))
  ])
  const superseded = await Promise.all(parts.map(list => ledger.superseded(list)))
  return {
    state: {
      ...state,
      ledgerId: '',
      pause: pause === undefined ? undefined : { ...pause, sinceMs: 0 },
      draining: draining === undefined ? undefined : { ...draining, sinceMs: 0 },
      handoff: handoff === undefined ? undefined : timelessHandoff(handoff),
      partitions: [...state.partitions]
    },
    progress: [...progress],
    watermarks: [...watermarks].sort(([a], [b]) => a - b),
    obligations: obligations.map((obligation, index) => ({
      ...timeless(obligation, nowMs),
      parts: [...obligation.parts],
      all: parts[index],
      pages: pages[index],
      superseded: superseded[index]
    })),
    adoptable,
    past: past.map(job => ({ ...job, sinceMs: 0, archivedMs: 0 })),
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

async function pagesOf(ledger: Ledger, id: ObligationId): Promise<readonly (readonly Part[])[]> {
  const pages: (readonly Part[])[] = []
  for (;;) {
    const page = await ledger.parts(id, { after: pages.at(-1)?.at(-1), limit: 2 })
    if (page.length === 0) return pages
    pages.push(page)
  }
}

/** An answer without its times. */
export function timelessAnswer(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('kind' in answer)) return answer
  if (answer.kind === 'taken' && 'obligation' in answer) {
    return { ...answer, obligation: timeless(answer.obligation as Obligation, 0) }
  }
  if (answer.kind === 'switched' && 'handoff' in answer) {
    return { ...answer, handoff: timelessHandoff(answer.handoff as Handoff) }
  }
  return answer
}

function timelessHandoff(handoff: Handoff): object {
  const taken = [...handoff.admittedMs].map(([partition, ms]) => [
    partition,
    ms === undefined ? 'not yet' : 'taken'
  ])
  return { ...handoff, cutMs: 0, frontiers: [...handoff.frontiers], admittedMs: taken }
}

function timeless(obligation: Obligation, nowMs: number): object {
  return {
    ...obligation,
    sinceMs: obligation.sinceMs > 0 ? 'past' : 'never',
    notBeforeMs: obligation.notBeforeMs === 0 ? 'at once' : obligation.notBeforeMs > nowMs ? 'later' : 'come'
  }
}
