import type { ObjectHead, VectorStore } from '@pointsman/core/ports/vector-store'
import { docKey } from '@pointsman/core/runtime/identity'
import type { NewestTable } from './newest-table.ts'
import { hasItsOwnId } from './standing.ts'
import { walkIndex } from '../walk-index.ts'

/**
 * Walks through the index for the objects of a few documents, which it may not find by them.
 * @param places - of the documents in the table; none of them: no walk.
 * @returns what is listed of each, those without any left out. What has a wrong id is a stray, and not listed here.
 */
export async function listAgain(
  store: Pick<VectorStore, 'page'>,
  table: NewestTable,
  places: ReadonlySet<number>,
  signal: AbortSignal
): Promise<ReadonlyMap<number, readonly ObjectHead[]>> {
  const listed = new Map<number, ObjectHead[]>()
  if (places.size === 0) return listed
  for await (const page of walkIndex(store, signal)) {
    for (const head of page) {
      const place = table.find(docKey(head.docId))
      if (place === undefined || !places.has(place) || !hasItsOwnId(head)) continue
      const heads = listed.get(place)
      if (heads === undefined) listed.set(place, [head])
      else heads.push(head)
    }
  }
  return listed
}
