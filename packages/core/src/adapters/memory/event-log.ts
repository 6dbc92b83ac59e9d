// One log in memory, shared by the memory versions of all ports of `ports/event-log.ts`: the `documents` topic with
// its partitions, the dead letters, and the groups with their members. Time comes from the clock alone, so a run on a
// simulated clock is deterministic. What tests do to a real broker (retention, new partitions, outages) are methods.
import { Failure } from '../../domain/failure.ts'
import type { Clock } from '../../ports/clock.ts'
import type { DeadLetter, LogBounds, LogRecord } from '../../ports/event-log.ts'
import { systemClock } from '../../runtime/clock.ts'
import { MemoryGroup } from './event-log-group.ts'

export interface MemoryLogOptions {
  /** 0 until `LogAdmin.prepare` makes the topic. */
  readonly partitions?: number
  readonly clock?: Clock
  /** How long a fetch takes, milliseconds of the clock. */
  readonly fetchMs?: number
}

/** What `prepare` finds on an existing topic. */
export interface MemoryTopicSettings {
  cleanupPolicy: 'delete' | 'compact'
  retentionMs: number | undefined
}

interface Partition {
  start: bigint
  /** The record at index i has offset `start + i`. */
  readonly records: LogRecord[]
}

export type MemoryOutage = 'log' | 'registry'

const sevenDaysMs = 7 * 24 * 3_600_000

export class MemoryLog {
  readonly clock: Clock
  readonly fetchMs: number
  readonly settings: MemoryTopicSettings = { cleanupPolicy: 'delete', retentionMs: sevenDaysMs }
  readonly letters: DeadLetter[] = []
  readonly #partitions: Partition[] = []
  readonly #groups = new Map<string, MemoryGroup>()
  readonly #listeners = new Set<() => void>()
  readonly #outages = new Set<MemoryOutage>()

  constructor(options: MemoryLogOptions = {}) {
    this.clock = options.clock ?? systemClock
    this.fetchMs = options.fetchMs ?? 1
    this.addPartitions(options.partitions ?? 0)
  }

  get partitions(): number {
    return this.#partitions.length
  }

  /** Readers notice at once, as after a metadata refresh. */
  addPartitions(count: number): void {
    if (count === 0) return
    for (let added = 0; added < count; added += 1) this.#partitions.push({ start: 0n, records: [] })
    for (const group of this.#groups.values()) group.setPartitions(this.partitions)
  }

  /** @returns the record's offset. */
  append(
    partition: number,
    key: string | undefined,
    value: Uint8Array | undefined,
    timestampMs = this.clock.nowMs()
  ): bigint {
    const { start, records } = this.#partition(partition)
    const offset = start + BigInt(records.length)
    records.push({ partition, offset, timestampMs, key, value })
    this.#wake()
    return offset
  }

  /** The partition of a key: stable while their number is. */
  partitionOf(key: string): number {
    let hash = 2_166_136_261
    for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 16_777_619) >>> 0
    return hash % this.partitions
  }

  /** As retention does: records below `start` are gone. */
  trim(partition: number, start: bigint): void {
    const kept = this.#partition(partition)
    const gone = Number(start - kept.start)
    if (gone <= 0) return
    kept.records.splice(0, gone)
    kept.start = start
  }

  bounds(partition: number): LogBounds {
    const { start, records } = this.#partition(partition)
    return { start, end: start + BigInt(records.length) }
  }

  /** Records of [from, to), at most `limit`; none outside the log. */
  slice(partition: number, from: bigint, to: bigint, limit: number): readonly LogRecord[] {
    const { start, records } = this.#partition(partition)
    const first = Math.max(Number(from - start), 0)
    return records.slice(first, Math.min(Number(to - start), first + limit))
  }

  group(name: string): MemoryGroup {
    const group = this.#groups.get(name) ?? new MemoryGroup(name, this.partitions)
    this.#groups.set(name, group)
    return group
  }

  /** Calls `onAppend` after every append and when an outage ends. */
  listen(onAppend: () => void): Disposable {
    this.#listeners.add(onAppend)
    return { [Symbol.dispose]: () => this.#listeners.delete(onAppend) }
  }

  /** From now on every call to that service fails; readers fall silent. */
  beginOutage(of: MemoryOutage): void {
    this.#outages.add(of)
  }

  endOutage(of: MemoryOutage): void {
    this.#outages.delete(of)
    this.#wake()
  }

  isUp(service: MemoryOutage): boolean {
    return !this.#outages.has(service)
  }

  /** @throws {Failure} `LOG_UNAVAILABLE` or `REGISTRY_UNAVAILABLE` during an outage. */
  requireUp(service: MemoryOutage): void {
    if (this.isUp(service)) return
    throw service === 'log'
      ? new Failure('LOG_UNAVAILABLE', 'the log does not answer')
      : new Failure('REGISTRY_UNAVAILABLE', 'the schema registry does not answer')
  }

  #partition(partition: number): Partition {
    const found = this.#partitions[partition]
    if (found === undefined) throw new Failure('LOG_UNAVAILABLE', `there is no partition ${partition}`)
    return found
  }

  #wake(): void {
    for (const onAppend of this.#listeners) onAppend()
  }
}
