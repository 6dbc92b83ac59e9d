// What goes through the lanes while they are switched: a trickle that does not end by itself.
import { setTimeout as pass } from 'node:timers/promises'
import { Failure } from '@pointsman/core/domain/failure'
import type { Document } from '@pointsman/core/domain/document'
import { aText, aTombstone } from './memory-lane.ts'
import type { RealLane } from './real-lane.ts'

/** Between two rounds: what a lane on two shared cores takes with ease. */
const everyMs = 150

/**
 * New texts, twins of texts that stay, updates and deletes. No text ever comes back after its document has another: whatever is
 * paid for more than once was paid for once too often.
 */
export function roundOf(round: number, name = 't'): readonly Document[] {
  return [
    ...Array.from({ length: 6 }, (_, index) =>
      aText(`${name}${round}-${index}`, 1, `${name} ${round} ${index}`)
    ),
    ...Array.from({ length: 2 }, (_, index) =>
      aText(`${name}-twin${round}-${index}`, 1, `${name} ${Math.max(0, round - 1)} ${index}`)
    ),
    ...Array.from({ length: 2 }, (_, index) =>
      aText(`${name}-changes${index}`, round + 1, `${name} changed ${round} ${index}`)
    ),
    aText(`${name}-goes${round}`, 1, `${name} short ${round}`),
    ...(round < 2 ? [] : [aTombstone(`${name}-goes${round - 2}`, 2)])
  ]
}

export class Trickle implements AsyncDisposable {
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>
  #documents = 0

  constructor(lane: RealLane) {
    this.#ended = this.#flow(lane)
    // Told by `stop`.
    this.#ended.catch(() => undefined)
  }

  /** Acknowledged by the log so far. */
  get documents(): number {
    return this.#documents
  }

  /** @throws what kept it from going on. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#ended.catch(() => undefined)
  }

  async #flow(lane: RealLane): Promise<void> {
    for (let round = 0; !this.#stopping.signal.aborted; round += 1) {
      const documents = roundOf(round)
      await this.#emit(lane, documents)
      this.#documents += documents.length
      await pass(everyMs)
    }
  }

  /** As a producer does: what the log has not acknowledged is sent again. */
  async #emit(lane: RealLane, documents: readonly Document[]): Promise<void> {
    for (;;) {
      try {
        return await lane.emit(documents)
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'LOG_UNAVAILABLE') throw error
      }
    }
  }
}
