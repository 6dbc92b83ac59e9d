import type { Latest, Ledger } from '@pointsman/core/ports/ledger'
import type { ObjectId } from '@pointsman/core/domain/identity'
import type { ObjectHead, VectorStore } from '@pointsman/core/ports/vector-store'
import { docKey, objectId } from '@pointsman/core/runtime/identity'
import type { DifferenceList } from './difference-list.ts'
import { isKeptContent } from './judge-document.ts'
import type { NewestTable } from './newest-table.ts'

export interface IndexCounts {
  objects: number
  olderThanLog: number
}

const pageObjects = 2000

/** Walks through all objects and notes each with its document; those that the log does not know are judged here. */
export async function readIndex(
  deps: { readonly store: Pick<VectorStore, 'page'>; readonly ledger: Pick<Ledger, 'latest'> },
  table: NewestTable,
  differences: DifferenceList,
  onProgress: (objects: number) => void,
  signal: AbortSignal
): Promise<IndexCounts> {
  const counts: IndexCounts = { objects: 0, olderThanLog: 0 }
  let after: ObjectId | undefined
  for (;;) {
    const page = await deps.store.page(after, pageObjects, signal)
    after = page.at(-1)?.id
    if (after === undefined) return counts

    const unknown: ObjectHead[] = []
    for (const head of page) {
      if (!hasItsOwnId(head)) differences.add('surplus', described(head, 'its id is not that of its content'))
      const place = table.find(docKey(head.docId))
      if (place === undefined) unknown.push(head)
      else table.addObject(place, head.paymentKey === table.newest(place).content, head.generation)
    }
    if (unknown.length > 0) {
      const latest = await deps.ledger.latest(unknown.map(({ docId }) => docKey(docId)))
      for (const [index, head] of unknown.entries()) {
        if (!judgeUnlogged(head, latest[index], differences)) counts.olderThanLog += 1
      }
    }
    counts.objects += page.length
    onProgress(counts.objects)
  }
}

/** An object whose document is not in the log (any more): the ledger alone can tell. True when it is a difference. */
function judgeUnlogged(head: ObjectHead, latest: Latest | undefined, differences: DifferenceList): boolean {
  if (!latest) {
    differences.add('surplus', described(head, 'neither the log nor the ledger knows this document'))
    return true
  }
  const isLatest = latest.generation === head.generation && isKeptContent(latest, head.paymentKey)
  if (isLatest || latest.status !== 'indexed') return false
  if (latest.content === undefined)
    differences.add('surplus', described(head, 'deleted, and an object is still there'))
  else differences.add('stale', described(head, `the ledger has generation ${latest.generation}`))
  return true
}

function hasItsOwnId({ id, docId, paymentKey, generation }: ObjectHead): boolean {
  return objectId(docId, paymentKey, generation) === id
}

function described(head: ObjectHead, detail: string): Parameters<DifferenceList['add']>[1] {
  return {
    docId: head.docId,
    detail,
    version: head.version,
    partition: null,
    offset: null,
    objectId: head.id
  }
}
