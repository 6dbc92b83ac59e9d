// How a ledger that was lost comes back: what the log, the index and the provider still know is told to a new one, and
// only then anything is admitted again. A step may be repeated, by another controller too: nothing depends on their order
// but what is said here. The whole is told in `docs/protocol.md`.
//
// Implementations: those of `Ledger`; both pass `test/contract/ledger-rebuild.ts`.

import type { Digest, ObligationId } from '../domain/identity.ts'
import type { Lane } from '../domain/lane.ts'
import type { Job } from './job.ts'

/**
 * - `waiting`  nobody has begun.
 * - `provider` input files without a job are deleted, jobs are listed.
 * - `index`    every object of the index is read: documents, payment keys.
 * - `log`      the log is read from W to its end: the newest version of each document.
 * - `jobs`     the provider's jobs become manifests again.
 */
export type RebuildStage = 'waiting' | 'provider' | 'index' | 'log' | 'jobs'

export interface RebuildProgress {
  readonly stage: RebuildStage
  /** Of what the stage counts: objects, records, jobs. */
  readonly done: number
  /** As far as that is known; 0 before. */
  readonly total: number
}

/** Set in the state of a ledger from which nothing can be admitted yet. */
export interface Rebuild extends RebuildProgress {
  readonly because: string
  /** Ledger time. */
  readonly sinceMs: number
}

/** An object of the index. Of several of one document the highest generation counts. */
export interface RestoredObject {
  readonly docKey: Digest
  readonly content: Digest
  readonly version: number
  readonly generation: number
}

/** The newest version of a document in the log from W on. */
export interface ExpectedDocument {
  readonly docKey: Digest
  readonly version: number
  /** Payment key; undefined for a tombstone. */
  readonly content: Digest | undefined
}

/** A document that waits for a line of a job: newest version in the log from W on, not in the index. */
export interface AwaitedDocument {
  readonly partition: number
  readonly offset: bigint
  readonly docKey: Digest
  readonly version: number
  readonly content: Digest
  readonly metadataHash: number
  readonly tokens: number
}

/** What admission goes on with. */
export interface RebuiltLanes {
  /** Of the control log's record of this life; above all epochs before. */
  readonly epoch: number
  readonly defaultLane: Lane
  /** A = committed W. */
  readonly partitions: ReadonlyMap<number, { readonly lane: Lane; readonly frontier: bigint }>
}

/**
 * Every method but `distrust` answers false, changing nothing, when no rebuild is under way in this ledger (any more).
 * @throws as `Ledger`.
 */
export interface LedgerRebuild {
  /**
   * Puts an empty ledger, to be rebuilt, in the place of one that cannot be right. Does nothing when another ledger is
   * there already, or when this one is being rebuilt.
   */
  distrust(ledgerId: string, because: string): Promise<void>

  noteRebuild(progress: RebuildProgress): Promise<boolean>

  /** At most 1,000. L becomes `indexed` with it unless L has a higher generation; its payment key is `processed`. */
  restore(objects: readonly RestoredObject[]): Promise<boolean>

  /**
   * After the whole index was restored; at most 1,000, each document once. With L of a higher version, nothing. With L
   * of this content, its version rises. Else L becomes `expected`, at this version: what is older will not be paid for.
   */
  expect(documents: readonly ExpectedDocument[]): Promise<boolean>

  /**
   * After all documents were expected; at most 256 a call. Makes the manifest `submitted`, owned by nobody alive, if it
   * is not there; a document that is `expected` at this version, and whose payment key nobody obtains, becomes an `embed`
   * part of it, and L `open`. What else needs the key joins when it is admitted again.
   */
  adoptJob(manifest: ObligationId, job: Job, documents: readonly AwaitedDocument[]): Promise<boolean>

  /**
   * After the documents of all jobs were adopted; at most 1,000 payment keys a call, of lines of a job that runs. Until its results are
   * read, or its file is made anew, whoever needs one of these vectors joins this manifest (`elsewhere`) instead of
   * paying, though no document waited for it. Nothing for a manifest that is not `submitted`, and for keys that are
   * `processed`, that somebody obtains, or that another one has promised.
   */
  promiseVectors(manifest: ObligationId, contents: readonly Digest[]): Promise<boolean>

  /** Ends the rebuild, and wakes all instances. */
  endRebuild(lanes: RebuiltLanes): Promise<boolean>
}
