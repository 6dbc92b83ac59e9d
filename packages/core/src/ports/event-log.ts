// The log (Kafka) as four small ports. No type of a client library crosses them; offsets are bigint.
// Implementations: `adapters/kafka` and `adapters/memory`; both pass `test/contract/event-log.ts`.

import type { Document } from '../domain/document.ts'

export interface LogRecord {
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly key: string | undefined
  /** Copied out of the fetch buffer; undefined for a null value. */
  readonly value: Uint8Array | undefined
}

/** Records as fetched, in order; `next` is the position after them, holes included. */
export interface RecordBatch {
  readonly partition: number
  readonly from: bigint
  readonly next: bigint
  readonly records: readonly LogRecord[]
}

/**
 * What stops a partition from being read. Each reason is set and lifted by one place; a partition delivers while it
 * has none. Reasons outlive joins and may be set for partitions that are not assigned. `unpositioned` is the reader's
 * own: set at every join, and when the position is outside the log, until `readFrom`.
 */
export type HoldReason = 'other-lane' | 'queue-full' | 'gate' | 'parked'

export interface GroupReaderEvents {
  /**
   * At every join, synchronously, before the first fetch: every assigned partition is held as `unpositioned`.
   * Whoever knows the position calls `readFrom` right here.
   */
  assigned(partitions: readonly number[], memberId: string): void
  /** Enqueue and return: blocking here stops heartbeats. False, or a throw, leaves the batch to be fetched again. */
  batch(batch: RecordBatch): boolean
  /** The position wanted lies outside the log [start, end]: the partition is stopped until `readFrom`. */
  outside(partition: number, position: bigint, start: bigint, end: bigint): void
  /** The consumer died and is being rebuilt with back-off: no partition is assigned now. */
  lost(reason: string): void
}

/** Membership in one consumer group. Its restarts are its own; it never gives up before it is disposed. */
export interface GroupReader extends AsyncDisposable {
  /** Joins; resolves at the first assignment. */
  start(events: GroupReaderEvents, signal: AbortSignal): Promise<void>
  assignment(): readonly number[]
  /** Seeks, then lifts `unpositioned`. Never outside the log: that is checked, see `outside`. Ignored when not assigned. */
  readFrom(partition: number, position: bigint): void
  hold(partition: number, reason: HoldReason): void
  lift(partition: number, reason: HoldReason): void
  holds(partition: number): ReadonlySet<HoldReason | 'unpositioned'>
  /**
   * Commits W. Skips partitions that are not assigned, and offsets that are not above what was committed already.
   * @returns what stands committed now; a partition missing from it was not committed: try again later.
   */
  commit(watermarks: ReadonlyMap<number, bigint>): Promise<ReadonlyMap<number, bigint>>
  /** Milliseconds since the last heartbeat or fetch was answered: the measure of health. */
  silentMs(): number
}

/** Why an offset that was asked for has no record. */
export type MissingReason = 'expired' | 'absent' | 'beyond-end'

/** Reads known offsets again, outside any group. */
export interface RangeReader extends AsyncDisposable {
  /**
   * @param offsets - ascending, of one partition.
   * @throws {Failure} `LOG_UNAVAILABLE`, also when the deadline passed.
   */
  read(
    partition: number,
    offsets: readonly bigint[],
    signal: AbortSignal
  ): Promise<{ readonly records: readonly LogRecord[]; readonly missing: ReadonlyMap<bigint, MissingReason> }>

  /** Every record of [from, to) in order, in batches; for audits and rebuilds. */
  scan(partition: number, from: bigint, to: bigint, signal: AbortSignal): AsyncIterable<readonly LogRecord[]>
}

export interface LogBounds {
  /** L: first offset kept. */
  readonly start: bigint
  /** E: high watermark. */
  readonly end: bigint
}

export interface GroupState {
  readonly state: string
  readonly members: readonly { readonly memberId: string; readonly partitions: readonly number[] }[]
}

export interface LogAdmin extends AsyncDisposable {
  /**
   * Creates the topics of the namespace where they are missing and compares those that exist with what the protocol
   * needs.
   * @throws {Failure} `TOPIC_UNFIT` naming each topic, setting, value and remedy (compaction, short retention).
   */
  prepare(partitions: number, signal: AbortSignal): Promise<void>
  bounds(): Promise<ReadonlyMap<number, LogBounds>>
  /** Committed offset by partition; undefined where the group has none. */
  committed(group: string): Promise<ReadonlyMap<number, bigint | undefined>>
  group(group: string): Promise<GroupState>
  /** Milliseconds that a record is kept; undefined for ever. */
  retentionMs(): Promise<number | undefined>
  /** Makes a dead member leave its group. Harmless for one that is gone already or alive. */
  evict(group: string, memberId: string): Promise<void>
}

/** Writes documents to the `documents` topic, idempotently per session, acknowledged by all replicas. */
export interface DocumentWriter extends AsyncDisposable {
  /** Resolves when all are acknowledged. @throws {Failure} `LOG_UNAVAILABLE`, `REGISTRY_UNAVAILABLE`. */
  write(documents: readonly Document[], signal: AbortSignal): Promise<void>
}

/**
 * - `document`
 * - `unreadable`     this record can never be decoded: dead-letter it.
 * - `unknown-schema` written with a schema that the registry does not know or that is newer than ours: park.
 */
export type Decoded =
  | { readonly kind: 'document'; readonly document: Document }
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'unknown-schema'; readonly reason: string }

/** Records to documents and back, with the schema registry. */
export interface DocumentCodec {
  /** Registers our schema. @throws {Failure} `REGISTRY_UNAVAILABLE`; `SCHEMA_UNKNOWN` when the registry refuses it. */
  prepare(signal: AbortSignal): Promise<void>
  encode(document: Document): Promise<Uint8Array>
  /** A null value is a tombstone whose version is the record's time. @throws {Failure} `REGISTRY_UNAVAILABLE`. */
  decode(record: LogRecord): Promise<Decoded>
}

/** A document given up: the record as it was, where it stood, why, and what was tried. */
export interface DeadLetter {
  readonly partition: number
  readonly offset: bigint
  readonly key: string | undefined
  readonly value: Uint8Array | undefined
  readonly reason: string
  readonly attempts: number
  readonly atMs: number
}

export interface StoredDeadLetter extends DeadLetter {
  /** `<partition>-<offset>` in the dead-letter topic. */
  readonly id: string
}

/** The dead-letter topic. A repeated write is harmless: letters are keyed by the source's partition and offset. */
export interface DeadLetters extends AsyncDisposable {
  /** Resolves when all are acknowledged. @throws {Failure} `LOG_UNAVAILABLE`. */
  write(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void>
  /** Newest writing of each letter, oldest first. */
  list(limit: number, signal: AbortSignal): Promise<readonly StoredDeadLetter[]>
  /** Produces the letters' records to `documents` again, unchanged. */
  replay(ids: readonly string[], signal: AbortSignal): Promise<number>
  /**
   * Produces records of `documents` again, unchanged: for documents that have to be admitted once more. One without a
   * value keeps its time too, since that is its version.
   * @throws {Failure} `LOG_UNAVAILABLE`: any of them may have been produced, which does no harm.
   */
  repeat(records: readonly LogRecord[], signal: AbortSignal): Promise<void>
}
