// The control log: every switch, before it is made and how it ended. One partition, kept for ever. The epoch of a switch
// is the offset of its intent plus 1, so epochs rise even if the ledger forgets everything.
// Implementations: `adapters/kafka` and `adapters/memory`; both pass `test/contract/control-log.ts`.

import type { Lane } from '../domain/lane.ts'

/**
 * - `detach` cut at once; what was sent goes on in the background.
 * - `drain`  admit nothing until no request or job of the old lane is left, then cut.
 * - `force`  cut at once, cancel jobs; what they have finished is kept, the rest goes on in the new lane.
 */
export type SwitchStrategy = 'detach' | 'drain' | 'force'

/**
 * A life of the ledger begins; its epoch is the offset plus 1. The first record of a log is one, so that a switch has a
 * higher epoch than 1, with which a ledger begins. Of several for one ledger the first counts.
 */
export interface Opened {
  readonly kind: 'opened'
  readonly ledgerId: string
  /** Default lane. */
  readonly lane: Lane
  /** Why the ledger before it was given up; empty for the first. */
  readonly because: string
  readonly atMs: number
}

/** What is to be done, whole: any controller can carry it out. */
export interface SwitchIntent {
  readonly kind: 'intent'
  /** Names the request; of several intents with one id the first counts. */
  readonly switchId: string
  readonly ledgerId: string
  readonly expectedEpoch: number
  readonly target: Lane
  readonly strategy: SwitchStrategy
  /** Of all partitions, in the target lane afterwards; above 0, at most 1. */
  readonly share: number
  /** Partitions that change, with their new lane. */
  readonly lanes: ReadonlyMap<number, Lane>
  /** Lanes of all partitions before, for a way back. */
  readonly before: ReadonlyMap<number, Lane>
  /** Of partitions not seen yet. */
  readonly defaultLane: Lane
  /** It is aborted when it has not cut so long after `atMs`. */
  readonly deadlineMs: number
  readonly actor: string
  readonly reason: string
  /** Time of the controller that wrote it. */
  readonly atMs: number
}

/**
 * - `completed` the cut was made.
 * - `aborted`   by order, or when its deadline had passed: the old lanes go on.
 * - `refused`   somebody else had switched before.
 */
export type SwitchResult = 'completed' | 'aborted' | 'refused'

/** How a switch ended. Of several for one switch the first counts. */
export interface SwitchOutcome {
  readonly kind: 'outcome'
  readonly switchId: string
  readonly epoch: number
  readonly result: SwitchResult
  /** In words. */
  readonly because: string
  readonly actor: string
  readonly atMs: number
  /** From acceptance to the end. */
  readonly tookMs: number
  /** H of all partitions; empty unless completed, as are the next two. */
  readonly frontiers: ReadonlyMap<number, bigint>
  /** Documents that were taken out of manifests which had not been sent. */
  readonly released: number
  /** Jobs that are to be cancelled. */
  readonly cancelled: number
}

export type ControlRecord = Opened | SwitchIntent | SwitchOutcome

export interface StoredControlRecord {
  readonly offset: bigint
  /** Undefined for a record that this version cannot read. */
  readonly record: ControlRecord | undefined
}

export interface ControlLog extends AsyncDisposable {
  /** Connects, so that the first switch does not wait for that. @throws {Failure} `LOG_UNAVAILABLE`. */
  prepare(signal: AbortSignal): Promise<void>
  /**
   * Resolves when all replicas have acknowledged it. Where it stands, `read` tells.
   * @throws {Failure} `LOG_UNAVAILABLE`: it may have been written.
   */
  append(record: ControlRecord, signal: AbortSignal): Promise<void>
  /**
   * Every record from `from` to the end, as it is during the call.
   * @throws {Failure} `LOG_UNAVAILABLE`; `CONTROL_LOG_CUT` when it ends before `from`, or begins after it: it was
   * truncated, or made anew.
   */
  read(from: bigint, signal: AbortSignal): Promise<readonly StoredControlRecord[]>
}
