import type { Latest } from '@pointsman/core/ports/ledger'
import type { ObjectHead } from '@pointsman/core/ports/vector-store'
import { objectId } from '@pointsman/core/runtime/identity'

/** How the objects of one document stand to what the ledger says of it. */
export interface Standing {
  /** The object that L names. */
  readonly own: ObjectHead | undefined
  /** Up to the generation of L, and not its own: no writer will ever name their ids again. */
  readonly outlived: readonly ObjectHead[]
  /** Of generations that L does not know yet, so that a writer may still name their ids: not to be touched. */
  readonly ahead: readonly ObjectHead[]
  /** Whose id is not that of their content: no writer of ours made them, or will ever name them. */
  readonly foreign: readonly ObjectHead[]
}

export function standingOf(latest: Latest, heads: readonly ObjectHead[]): Standing {
  const ours = heads.filter(hasItsOwnId)
  const own = ours.find(head => isNamedBy(latest, head))
  return {
    own,
    outlived: ours.filter(head => head !== own && head.generation <= latest.generation),
    ahead: ours.filter(head => head.generation > latest.generation),
    foreign: heads.filter(head => !hasItsOwnId(head))
  }
}

/**
 * What may go: objects that were outlived, as soon as nothing else is to come in their place. While the object that L
 * names is missing, an older one is better than none: of a document that was given up, the newest is kept.
 */
export function removable(latest: Latest, { own, outlived }: Standing): readonly ObjectHead[] {
  if (latest.status === 'dead' && own === undefined) {
    return outlived.toSorted((a, b) => b.generation - a.generation).slice(1)
  }
  const isSettled = latest.status === 'indexed' && (own !== undefined || latest.content === undefined)
  return isSettled ? outlived : []
}

/** Of the generation and content that L has. */
export function isNamedBy(latest: Latest, { generation, paymentKey }: ObjectHead): boolean {
  return generation === latest.generation && isKeptContent(latest, paymentKey)
}

/** `latest` keeps the last 64 of the 96 bits of a payment key. */
export function isKeptContent({ content: kept }: Latest, content: string): boolean {
  return kept !== undefined && content.endsWith(kept)
}

export function hasItsOwnId({ docId, generation, id, paymentKey }: ObjectHead): boolean {
  return objectId(docId, paymentKey, generation) === id
}

/** Nothing moved between two looks. */
export function isSameLatest(a: Latest | undefined, b: Latest | undefined): boolean {
  return a?.status === b?.status && a?.version === b?.version && a?.generation === b?.generation
}
