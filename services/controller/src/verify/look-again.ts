// The second look at what seemed wrong. The first reads log, index and ledger one after the other, and documents move
// on meanwhile; the second asks about each suspect at one moment: what the ledger says before and after is the same.

import type { ObjectHead } from '@pointsman/core/ports/vector-store'
import { judgeDocument, type Suspect } from './judge-document.ts'
import { lookAt } from './look-at.ts'
import type { Newest, NewestTable, Stored } from './newest-table.ts'
import { hasItsOwnId } from './standing.ts'
import type { VerifyDeps } from './verify-deps.ts'

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
    for (const { found, heads, isSteady, latest, suspect } of await lookAt(deps, table, some, signal)) {
      if (found === undefined) still.push(suspect)
      else if (isSteady) {
        const facts = { ...suspect.facts, stored: storedOf(heads, suspect.facts.newest), latest }
        const { findings } = judgeDocument(facts)
        if (findings.length > 0) still.push({ ...suspect, facts, findings })
      }
    }
  }
  return still
}

function storedOf(found: readonly ObjectHead[], { content }: Newest): Stored {
  const heads = found.filter(hasItsOwnId)
  const current = heads.filter(({ paymentKey }) => paymentKey === content)
  const deciding = current.length > 0 ? current : heads
  const generation = Math.max(0, ...deciding.map(head => head.generation))
  return { objects: heads.length, current: current.length, generation }
}
