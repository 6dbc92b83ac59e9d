// The second look at what seemed wrong. The first reads log, index and ledger one after the other, and documents move
// on meanwhile; the second asks about each suspect at one moment: what the ledger says before and after is the same.
//
// The first look lists the objects, the second finds them by their document. A Weaviate that was killed may list some that
// it does not find so. Where fewer are found than were listed, the index is walked once more: what it lists again is
// there, and the document is looked at a third time with it.

import type { ObjectHead } from '@pointsman/core/ports/vector-store'
import { judgeDocument, type Suspect } from './judge-document.ts'
import { listAgain } from './list-again.ts'
import { type Look, lookAt } from './look-at.ts'
import type { Newest, NewestTable, Stored } from './newest-table.ts'
import { hasItsOwnId, isSameLatest } from './standing.ts'
import type { VerifyDeps } from './verify-deps.ts'

/** More are no matter of moments. */
const maxSuspects = 10_000
const perQuestion = 200

type LookDeps = Pick<VerifyDeps, 'ranges' | 'codec' | 'ledger' | 'store'>

/** @returns what is still wrong. */
export async function lookAgain(
  deps: LookDeps,
  table: NewestTable,
  suspects: readonly Suspect[],
  signal: AbortSignal
): Promise<readonly Suspect[]> {
  if (suspects.length > maxSuspects) return suspects
  const looks = await lookAtAll(deps, table, suspects, signal)
  const short = looks.filter(isShort)
  const listed = await listAgain(
    deps.store,
    table,
    new Set(short.map(({ suspect }) => suspect.place)),
    signal
  )
  const withListed = short.flatMap(({ latest, suspect }) => {
    const heads = listed.get(suspect.place)
    return heads === undefined ? [] : [{ ...suspect, facts: { ...suspect.facts, latest }, listed: heads }]
  })
  const thirds = await lookAtAll(deps, table, withListed, signal)
  // What moved since the second look tells nothing: the list may be of before.
  const steady = thirds.filter(({ latest, suspect }) => isSameLatest(latest, suspect.facts.latest))
  const later = new Map(steady.map(look => [look.suspect.place, look]))
  return looks.flatMap(look => stillWrong(later.get(look.suspect.place) ?? look))
}

async function lookAtAll(
  deps: LookDeps,
  table: NewestTable,
  suspects: readonly Suspect[],
  signal: AbortSignal
): Promise<readonly Look[]> {
  const looks: Look[] = []
  for (let first = 0; first < suspects.length; first += perQuestion) {
    looks.push(...(await lookAt(deps, table, suspects.slice(first, first + perQuestion), signal)))
  }
  return looks
}

/** Fewer objects are found by the document than were listed before. */
function isShort({ found, heads, isSteady, suspect }: Look): boolean {
  return found !== undefined && isSteady && heads.filter(hasItsOwnId).length < suspect.facts.stored.objects
}

function stillWrong({ found, heads, isSteady, latest, suspect }: Look): readonly Suspect[] {
  if (found === undefined) return [suspect]
  if (!isSteady) return []
  const facts = { ...suspect.facts, stored: storedOf(heads, suspect.facts.newest), latest }
  const { findings } = judgeDocument(facts)
  return findings.length > 0 ? [{ ...suspect, facts, findings }] : []
}

function storedOf(found: readonly ObjectHead[], { content }: Newest): Stored {
  const heads = found.filter(hasItsOwnId)
  const current = heads.filter(({ paymentKey }) => paymentKey === content)
  const deciding = current.length > 0 ? current : heads
  const generation = Math.max(0, ...deciding.map(head => head.generation))
  return { objects: heads.length, current: current.length, generation }
}
