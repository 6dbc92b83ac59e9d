// What goes through a batch lane in the stories of its end-to-end tests.
import { expect, vi } from 'vitest'
import { aText, aTombstone } from './memory-lane.ts'
import type { RealLane } from './real-lane.ts'

/** Texts for four manifests of the quick lane, some in two documents. */
export const firstDocuments = [
  ...Array.from({ length: 350 }, (_, index) => aText(`d${index}`, 1, `text number ${index}`)),
  ...Array.from({ length: 50 }, (_, index) => aText(`twin${index}`, 1, `text number ${index}`))
]

/** While the first are under way: updates, returns to an old text, twins of what is paid for already, deletes. */
export const laterDocuments = [
  ...Array.from({ length: 60 }, (_, index) => aText(`d${index}`, 2, `text number ${index}, changed`)),
  ...Array.from({ length: 20 }, (_, index) => aText(`d${index}`, 3, `text number ${index}`)),
  ...Array.from({ length: 20 }, (_, index) => aText(`later${index}`, 1, `text number ${index + 200}`)),
  ...Array.from({ length: 30 }, (_, index) => aTombstone(`d${index + 300}`, 2))
]

/** Waits until the ledger has admitted so many documents, or more. */
export async function admitted(lane: RealLane, documents: number): Promise<void> {
  await vi.waitFor(
    async () =>
      expect((await lane.ledger.survey()).counts.admitted, lane.said).toBeGreaterThanOrEqual(documents),
    { timeout: 60_000, interval: 20 }
  )
}

/**
 * The later ones come when all of the first are admitted: a text that nobody holds any more when it comes again, its only
 * document being updated, is rightly paid for again.
 */
export async function emitAll(lane: RealLane): Promise<void> {
  await lane.emit(firstDocuments)
  await admitted(lane, firstDocuments.length)
  await lane.emit(laterDocuments)
}
