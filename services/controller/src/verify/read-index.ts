import type { Latest, Ledger } from '@pointsman/core/ports/ledger'
import type { ObjectHead, VectorStore } from '@pointsman/core/ports/vector-store'
import { docKey } from '@pointsman/core/runtime/identity'
import type { NewestTable } from './newest-table.ts'
import { hasItsOwnId, isNamedBy } from './standing.ts'
import { walkIndex } from '../walk-index.ts'

export interface IndexCounts {
  objects: number
  olderThanLog: number
}

/** An object that is a difference whatever the log says of its document. */
export interface Stray {
  readonly head: ObjectHead
  readonly kind: 'surplus' | 'stale'
  readonly detail: string
  /** Neither the log nor the ledger knows its document. */
  readonly isUnknown: boolean
}

/**
 * Walks through all objects and notes each with its document; those that the log does not know are judged here.
 * @param onStray - told each object that is a difference by itself.
 */
export async function readIndex(
  deps: { readonly store: Pick<VectorStore, 'page'>; readonly ledger: Pick<Ledger, 'latest'> },
  table: NewestTable,
  onStray: (stray: Stray) => void,
  onProgress: (objects: number) => void,
  signal: AbortSignal
): Promise<IndexCounts> {
  const counts: IndexCounts = { objects: 0, olderThanLog: 0 }
  for await (const page of walkIndex(deps.store, signal)) {
    const unknown: ObjectHead[] = []
    for (const head of page) {
      // Nobody of ours will ever find it by that id, so the document does not have it.
      if (!hasItsOwnId(head)) {
        onStray({ head, kind: 'surplus', detail: 'its id is not that of its content', isUnknown: false })
        continue
      }
      const place = table.find(docKey(head.docId))
      if (place === undefined) unknown.push(head)
      else table.addObject(place, head.paymentKey === table.newest(place).content, head.generation)
    }
    if (unknown.length > 0) {
      const latest = await deps.ledger.latest(unknown.map(({ docId }) => docKey(docId)))
      for (const [index, head] of unknown.entries()) {
        const stray = judgeUnlogged(head, latest[index])
        if (stray === undefined) counts.olderThanLog += 1
        else onStray(stray)
      }
    }
    counts.objects += page.length
    onProgress(counts.objects)
  }
  return counts
}

/** An object whose document is not in the log (any more): the ledger alone can tell. Undefined: it is in order. */
function judgeUnlogged(head: ObjectHead, latest: Latest | undefined): Stray | undefined {
  if (!latest) {
    const detail = 'neither the log nor the ledger knows this document'
    return { head, kind: 'surplus', detail, isUnknown: true }
  }
  const isLatest = isNamedBy(latest, head)
  if (isLatest || latest.status !== 'indexed') return undefined
  return latest.content === undefined
    ? { head, kind: 'surplus', detail: 'deleted, and an object is still there', isUnknown: false }
    : { head, kind: 'stale', detail: `the ledger has generation ${latest.generation}`, isUnknown: false }
}
