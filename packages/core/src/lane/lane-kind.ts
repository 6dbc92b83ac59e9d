import type { ObligationId } from '../domain/identity.ts'
import type { Offer } from './lane-feed.ts'
import type { VectorSource } from './vector-source.ts'
import type { Item, Work } from './work.ts'

/** A loop that runs as long as its instance; when it throws, it is begun again after a rest. */
export interface LaneLoop {
  /** For people, e.g. `harvesting`. */
  readonly name: string
  /**
   * @param signal - aborts when the instance is told to stop: begin nothing new.
   * @param grace - aborts when the time to finish what was begun is over.
   */
  run(signal: AbortSignal, grace: AbortSignal): Promise<void>
}

/** What one lane does otherwise than the other. */
export interface LaneKind {
  /**
   * Resolves when this offer may be admitted.
   * @returns the open manifest, or a new id for it, that takes what has to be paid for; without one, that belongs to
   * the request of the admission.
   */
  ready(offer: Offer, signal: AbortSignal): Promise<{ readonly manifest?: ObligationId }>

  /** The ledger takes nothing into this manifest any more: `ready` has to name another. Needed by who names any. */
  closed?(manifest: ObligationId): void

  /**
   * What the ledger admitted of an offer, with the manifest that `ready` named.
   * @returns the items to finish now, under the obligation of the request.
   */
  admitted(items: readonly Item[]): readonly Item[]

  /** @param work - a request: admitted, or taken over from somebody. */
  sourceOf(work: Work): VectorSource

  readonly loops: readonly LaneLoop[]
}
