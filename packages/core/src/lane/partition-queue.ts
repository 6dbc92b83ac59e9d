// What was fetched of one partition and not admitted yet: undecoded records, then prepared entries at the head.
import type { LoggedDocument } from '../domain/document.ts'
import type { LogRecord, RecordBatch } from '../ports/event-log.ts'
import type { Candidate } from '../ports/ledger.ts'

/** A prepared record; without a candidate it is a hole that only moves the frontier. */
export interface FeedEntry {
  /** Position after it. */
  readonly next: bigint
  readonly candidate: Candidate | undefined
  readonly logged: LoggedDocument | undefined
}

interface RawEntry {
  readonly next: bigint
  /** Undefined where a fetch held nothing but holes. */
  readonly record: LogRecord | undefined
}

export class PartitionQueue {
  readonly partition: number
  /** Raised by every reset: an offer made before one is void. */
  resets = 0
  /** Next offset to be admitted. */
  #head = 0n
  /** Next offset to be fetched. */
  #tail = 0n
  #raw: RawEntry[] = []
  #ready: FeedEntry[] = []
  #bytes = 0

  constructor(partition: number) {
    this.partition = partition
  }

  get head(): bigint {
    return this.#head
  }

  /** Bytes of the records not prepared yet. */
  get bytes(): number {
    return this.#bytes
  }

  reset(position: bigint): void {
    this.resets += 1
    this.#head = position
    this.#tail = position
    this.#raw = []
    this.#ready = []
    this.#bytes = 0
  }

  accepts(batch: RecordBatch): boolean {
    return batch.from === this.#tail
  }

  append(batch: RecordBatch): void {
    const { next, records } = batch
    if (records.length === 0) this.#raw.push({ next, record: undefined })
    records.forEach((record, index) => {
      // The last one carries the holes behind it, so that the frontier passes them too.
      this.#raw.push({ next: index === records.length - 1 ? next : record.offset + 1n, record })
      this.#bytes += record.value?.byteLength ?? 0
    })
    this.#tail = next
  }

  /** Undecoded entries that are missing to `wanted` prepared ones. */
  raw(wanted: number): readonly RawEntry[] {
    return this.#raw.slice(0, Math.max(0, wanted - this.#ready.length))
  }

  /** The first undecoded entries became these. */
  prepared(entries: readonly FeedEntry[]): void {
    for (const { record } of this.#raw.splice(0, entries.length))
      this.#bytes -= record?.value?.byteLength ?? 0
    this.#ready.push(...entries)
  }

  ready(count: number): readonly FeedEntry[] {
    return this.#ready.slice(0, count)
  }

  /** The first entries were admitted. */
  drop(count: number): void {
    this.#head = this.#ready.splice(0, count).at(-1)?.next ?? this.#head
  }
}
