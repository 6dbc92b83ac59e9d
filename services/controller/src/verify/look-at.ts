import type { LogRecord } from '@pointsman/core/ports/event-log'
import type { Latest } from '@pointsman/core/ports/ledger'
import type { ObjectHead } from '@pointsman/core/ports/vector-store'
import type { Suspect } from './judge-document.ts'
import type { NewestTable } from './newest-table.ts'
import { nameOf } from './read-name.ts'
import { isSameLatest } from './standing.ts'
import type { VerifyDeps } from './verify-deps.ts'

/** One document at one moment. */
export interface Look {
  readonly suspect: Suspect
  /** Of its newest version, with its name; undefined when the log keeps it no longer. */
  readonly found: { readonly docId: string; readonly record: LogRecord } | undefined
  /** What is found by the name, and what was listed. */
  readonly heads: readonly ObjectHead[]
  readonly latest: Latest | undefined
  /** What the ledger says before and after the look at the index is the same. */
  readonly isSteady: boolean
}

/** Asks the ledger, then the index, then the ledger again. At most 200 suspects. */
export async function lookAt(
  deps: Pick<VerifyDeps, 'ranges' | 'codec' | 'ledger' | 'store'>,
  table: NewestTable,
  suspects: readonly Suspect[],
  signal: AbortSignal
): Promise<readonly Look[]> {
  const keys = suspects.map(({ place }) => table.key(place))
  const found = await readRecords(deps, suspects, signal)
  const before = await deps.ledger.latest(keys)
  const docIds = new Set([...found.values()].map(({ docId }) => docId))
  const heads = await deps.store.heads([...docIds], signal)
  const after = await deps.ledger.latest(keys)
  const byName = Map.groupBy(heads, ({ docId }) => docId)
  return suspects.map((suspect, index) => {
    const named = found.get(suspect.place)
    return {
      suspect,
      found: named,
      heads: united(suspect.listed ?? [], (named && byName.get(named.docId)) ?? []),
      latest: after[index],
      isSteady: isSameLatest(before[index], after[index])
    }
  })
}

function united(listed: readonly ObjectHead[], found: readonly ObjectHead[]): readonly ObjectHead[] {
  return [...new Map([...listed, ...found].map(head => [head.id, head])).values()]
}

async function readRecords(
  { ranges, codec }: Pick<VerifyDeps, 'ranges' | 'codec'>,
  suspects: readonly Suspect[],
  signal: AbortSignal
): Promise<ReadonlyMap<number, NonNullable<Look['found']>>> {
  const found = new Map<number, NonNullable<Look['found']>>()
  const byPartition = Map.groupBy(suspects, ({ facts }) => facts.newest.partition)
  for (const [partition, some] of byPartition) {
    const places = new Map(some.map(({ place, facts }) => [BigInt(facts.newest.offset), place]))
    const offsets = [...places.keys()].toSorted((a, b) => (a < b ? -1 : 1))
    const { records } = await ranges.read(partition, offsets, signal)
    for (const record of records) {
      const place = places.get(record.offset)
      const docId = await nameOf(record, codec)
      if (place !== undefined && docId !== undefined) found.set(place, { docId, record })
    }
  }
  return found
}
