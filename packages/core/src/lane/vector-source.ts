import type { Digest } from '../domain/identity.ts'
import type { VectorBytes } from '../ports/embedder.ts'
import type { ContentItem } from './work.ts'

/** What became of the wanted contents. One that is in neither map was moved elsewhere: it is not this work's any more. */
export interface Obtained {
  readonly vectors: ReadonlyMap<Digest, VectorBytes>
  /** Contents that will never have a vector, with the reason. */
  readonly dead: ReadonlyMap<Digest, string>
  /** Tokens charged for this answer. */
  readonly paidTokens: number
  /** Paid attempts of the obligation journalled so far, by whomever. */
  readonly attempts: number
}

/**
 * Where the vectors of one obligation come from: bought at once (realtime), read from a job's output, or promised by a
 * manifest (batch). What stands in the index already is copied from there and never asked for here.
 */
export interface VectorSource {
  /**
   * @param wanted - by payment key, items without a vector so far; not empty. Asked again when others joined meanwhile.
   * @throws {Disowned} when the obligation is not ours any more; the signal's reason when it aborts.
   */
  obtain(wanted: ReadonlyMap<Digest, readonly ContentItem[]>, signal: AbortSignal): Promise<Obtained>

  /** After the work, however it ended: nothing uses the vectors any more. */
  release(): void
}

/** The ledger gave the obligation to somebody else: whoever holds it now finishes it. */
export class Disowned extends Error {
  override readonly name = 'Disowned'
}
