import type { LoggedDocument } from '@pointsman/core/domain/document'
import type { Digest, ObjectId, ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type { Part } from '@pointsman/core/ports/ledger'
import { objectId } from '@pointsman/core/runtime/identity'

/** A part with the document it came from. */
export interface Item {
  readonly part: Part
  readonly logged: LoggedDocument
  /** Objects of lower generations may stand in the index. */
  readonly replaces: boolean
}

/** An obligation of ours, to be finished. */
export interface Work {
  readonly obligation: ObligationId
  readonly owner: OwnerId
  /** Paid attempts journalled so far. */
  readonly attempts: number
  readonly items: readonly Item[]
  /** Taken over from somebody: what may be finished already is looked up before anything is paid. */
  readonly adopted: boolean
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
