// The second look at what seemed wrong. The first reads log, index and ledger one after the other, and documents move
// on meanwhile; the second asks about each suspect at one moment: what the ledger says before and after is the same.

import type { LogRecord } from '@pointsman/core/ports/event-log'
import type { Latest } from '@pointsman/core/ports/ledger'
import type { ObjectHead } from '@pointsman/core/ports/vector-store'
import { type DocumentFacts, type Finding, judgeDocument } from './judge-document.ts'
import type { Newest, NewestTable, Stored } from './newest-table.ts'
import type { VerifyDeps } from './verify-deps.ts'

export interface Suspect {
  readonly place: number
  readonly facts: DocumentFacts
  readonly findings: readonly Finding[]
}

/** More are no matter of moments. */
const maxSuspects = 10_000
const perQuestion = 200

/** @returns what is still wrong. */
export async function lookAgain(
  deps: Pick<VerifyDeps, 'ranges' | 'codec' | 'ledger' | 'store'>,
  table: NewestTable,
  suspects: readonly Suspect[],
  signal: AbortSignal
): Promise<readonly Suspect[]> {
  if (suspects.length > maxSuspects) return suspects
  const still: Suspect[] = []
  for (let first = 0; first < suspects.length; first += perQuestion) {
    const some = suspects.slice(first, first + perQuestion)
    const keys = some.map(({ place }) => table.key(place))
    const names = await namesOf(deps, some, signal)
    const before = await deps.ledger.latest(keys)
    const heads = await deps.store.heads([...new Set(names.values())], signal)
    const after = await deps.ledger.latest(keys)
    const byName = Map.groupBy(heads, ({ docId }) => docId)
    for (const [index, suspect] of some.entries()) {
      const name = names.get(suspect.place)
      if (name === undefined) still.push(suspect)
      else if (isSame(before[index], after[index])) {
        const stored = storedOf(byName.get(name) ?? [], suspect.facts.newest)
        const facts = { ...suspect.facts, stored, latest: after[index] }
        const { findings } = judgeDocument(facts)
        if (findings.length > 0) still.push({ ...suspect, facts, findings })
      }
    }
  }
  return still
}

async function namesOf(
  { ranges, codec }: Pick<VerifyDeps, 'ranges' | 'codec'>,
  suspects: readonly Suspect[],
  signal: AbortSignal
): Promise<ReadonlyMap<number, string>> {
  const names = new Map<number, string>()
  const byPartition = Map.groupBy(suspects, ({ facts }) => facts.newest.partition)
  for (const [partition, some] of byPartition) {
    const places = new Map(some.map(({ place, facts }) => [BigInt(facts.newest.offset), place]))
    const offsets = [...places.keys()].toSorted((a, b) => (a < b ? -1 : 1))
    const { records } = await ranges.read(partition, offsets, signal)
    for (const record of records) {
      const place = places.get(record.offset)
      const name = await nameOf(record, codec)
      if (place !== undefined && name !== undefined) names.set(place, name)
    }
  }
  return names
}

async function nameOf(
  record: LogRecord,
  codec: Pick<VerifyDeps['codec'], 'decode'>
): Promise<string | undefined> {
  const decoded = await codec.decode(record)
  return decoded.kind === 'document' ? decoded.document.docId : record.key
}

function storedOf(heads: readonly ObjectHead[], { content }: Newest): Stored {
  const current = heads.filter(({ paymentKey }) => paymentKey === content)
  const deciding = current.length > 0 ? current : heads
  const generation = Math.max(0, ...deciding.map(head => head.generation))
  return { objects: heads.length, current: current.length, generation }
}

function isSame(a: Latest | undefined, b: Latest | undefined): boolean {
  return a?.status === b?.status && a?.version === b?.version && a?.generation === b?.generation
}
