import type { Correction, Latest, Ledger } from '@pointsman/core/ports/ledger'
import type { ObjectHead, VectorStore } from '@pointsman/core/ports/vector-store'
import { docKey } from '@pointsman/core/runtime/identity'
import { isNamedBy, isSameLatest, removable, standingOf } from '../verify/standing.ts'

export interface Swept {
  /** Objects removed because a newer content of their document is indexed. */
  readonly outlived: number
  /** Objects removed because their document is deleted. */
  readonly deleted: number
  /** Entries of the ledger. */
  readonly corrected: number
}

export interface SweepPageDeps {
  readonly ledger: Pick<Ledger, 'latest' | 'correct'>
  readonly store: Pick<VectorStore, 'heads' | 'remove'>
}

/**
 * Removes what nobody will name again, and corrects what the ledger calls given up although it is there. The ledger is
 * asked before and after the index, so that what moves meanwhile is left for the next walk; whoever does the same at the
 * same time does no harm.
 * @throws {Failure} of the ports: any of it may have been done.
 */
export async function sweepPage(
  { ledger, store }: SweepPageDeps,
  page: readonly ObjectHead[],
  signal: AbortSignal
): Promise<Swept> {
  const known = await ledger.latest(page.map(({ docId }) => docKey(docId)))
  const suspects = page.filter((head, index) => isSuspect(head, known[index]))
  const docIds = [...new Set(suspects.map(({ docId }) => docId))]
  if (docIds.length === 0) return { outlived: 0, deleted: 0, corrected: 0 }

  const keys = docIds.map(docId => docKey(docId))
  const before = await ledger.latest(keys)
  // A Weaviate that was killed may list an object which it does not find by its document: the page is believed, too.
  const found = new Map([...suspects, ...(await store.heads(docIds, signal))].map(head => [head.id, head]))
  const siblings = Map.groupBy(found.values(), ({ docId }) => docId)
  const after = await ledger.latest(keys)

  const outlived: ObjectHead[] = []
  const deleted: ObjectHead[] = []
  const corrections: Correction[] = []
  for (const [index, docId] of docIds.entries()) {
    const latest = after[index]
    const heads = siblings.get(docId) ?? []
    if (latest === undefined || !isSameLatest(before[index], latest)) continue
    const standing = standingOf(latest, heads)
    const kind = latest.content === undefined ? deleted : outlived
    kind.push(...removable(latest, standing))
    if (standing.own !== undefined && isForgotten(standing.own, latest)) {
      corrections.push(correctionOf(standing.own, latest))
    }
  }
  const ids = [...outlived, ...deleted].map(({ id }) => id)
  if (ids.length > 0) await store.remove(ids, signal)
  const made = corrections.length > 0 ? await ledger.correct(corrections) : []
  return {
    outlived: outlived.length,
    deleted: deleted.length,
    corrected: made.filter(Boolean).length
  }
}

/** Most objects are the one of their document: that is told without another look. */
function isSuspect(head: ObjectHead, latest: Latest | undefined): boolean {
  if (latest === undefined || latest.status === 'open' || head.generation > latest.generation) return false
  const isOwn = isNamedBy(latest, head)
  if (latest.status === 'expected') return isOwn && isForgotten(head, latest)
  return latest.status === 'dead' || !isOwn
}

/** What is expected in a newer version than its object has is to be admitted, whatever stands there. */
function isForgotten(own: ObjectHead, { status, version }: Latest): boolean {
  return status === 'dead' || (status === 'expected' && own.version === version)
}

function correctionOf(
  { docId, paymentKey }: ObjectHead,
  { generation, status, version }: Latest
): Correction {
  const found = { version, generation, status }
  return { docKey: docKey(docId), found, status: 'indexed', content: paymentKey }
}
