import type { LoggedDocument } from '../domain/document.ts'
import type { Digest, ObjectId, ObligationId, OwnerId } from '../domain/identity.ts'
import type { Part } from '../ports/ledger.ts'
import { objectId } from '../runtime/identity.ts'

/** A part with the document it came from. */
export interface Item {
  readonly part: Part
  readonly logged: LoggedDocument
}

/**
 * What is asked before anything is obtained:
 * - `nothing`    it was admitted just now.
 * - `latest`     a page of many that waited: newer contents may have been admitted, and supersede it.
 * - `everything` taken over from somebody: also what stands in the index already.
 */
export type LookUp = 'nothing' | 'latest' | 'everything'

/** An obligation of ours, to be finished: all of it, or some of its items. */
export interface Work {
  readonly obligation: ObligationId
  readonly owner: OwnerId
  /** Paid attempts journalled so far. */
  readonly attempts: number
  readonly items: readonly Item[]
  readonly lookUp: LookUp
}

/** An item that has a content: everything but deletes. */
export interface ContentItem extends Item {
  readonly content: Digest
  readonly id: ObjectId
}

export function withContent(item: Item): ContentItem | undefined {
  const { content, generation } = item.part
  if (content === undefined) return undefined
  return { ...item, content, id: objectId(item.logged.document.docId, content, generation) }
}

/** Items by payment key, in order of first appearance. */
export function byContent(items: readonly ContentItem[]): ReadonlyMap<Digest, readonly ContentItem[]> {
  return Map.groupBy(items, item => item.content)
}
