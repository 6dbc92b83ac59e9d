// The memory version of GroupReader. Besides the port it has the two ways of dying: `crash` (the consumer dies and is
// rebuilt) and `kill` (the process dies and leaves a ghost behind).
import { Failure } from '../../domain/failure.ts'
import type { GroupReader, GroupReaderEvents, HoldReason, RecordBatch } from '../../ports/event-log.ts'
import type { MemoryGroup } from './event-log-group.ts'
import type { MemoryLog } from './event-log.ts'
import { abortable } from '../../runtime/abortable.ts'

type Hold = HoldReason | 'unpositioned'

const batchRecords = 500

export class MemoryGroupReader implements GroupReader {
  readonly #log: MemoryLog
  readonly #group: MemoryGroup
  readonly #instance: string
  readonly #stop = new AbortController()
  readonly #holds = new Map<number, Set<Hold>>()
  readonly #positions = new Map<number, bigint>()
  readonly #joined = Promise.withResolvers<undefined>()
  #wakes: Disposable | undefined
  #events: GroupReaderEvents | undefined
  #memberId = ''
  #assignment: readonly number[] = []
  #suspended = true
  #pumping = false
  #aliveMs: number

  constructor(log: MemoryLog, group: string, instance: string) {
    this.#log = log
    this.#group = log.group(group)
    this.#instance = instance
    this.#aliveMs = log.clock.nowMs()
  }

  async start(events: GroupReaderEvents, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#events !== undefined) throw new Failure('USAGE', 'a reader is started once')
    this.#events = events
    this.#wakes = this.#log.listen(() => this.#pump())
    this.#join()
    await abortable(this.#joined.promise, signal)
  }

  assignment(): readonly number[] {
    return this.#assignment
  }

  readFrom(partition: number, position: bigint): void {
    if (!this.#assignment.includes(partition)) return
    this.#positions.set(partition, position)
    this.#holdsOf(partition).delete('unpositioned')
    this.#pump()
  }

  hold(partition: number, reason: HoldReason): void {
    this.#holdsOf(partition).add(reason)
  }

  lift(partition: number, reason: HoldReason): void {
    this.#holdsOf(partition).delete(reason)
    this.#pump()
  }

  holds(partition: number): ReadonlySet<Hold> {
    return new Set(this.#holdsOf(partition))
  }

  async commit(watermarks: ReadonlyMap<number, bigint>): Promise<ReadonlyMap<number, bigint>> {
    const acknowledged = new Map<number, bigint>()
    if (!this.#log.isUp('log')) return acknowledged
    for (const [partition, watermark] of watermarks) {
      if (!this.#group.isAssigned(this.#memberId, partition)) continue
      const committed = this.#group.committed.get(partition) ?? -1n
      if (watermark > committed) this.#group.committed.set(partition, watermark)
      acknowledged.set(partition, watermark > committed ? watermark : committed)
    }
    return acknowledged
  }

  silentMs(): number {
    if (this.#suspended || !this.#log.isUp('log')) return this.#log.clock.nowMs() - this.#aliveMs
    return 0
  }

  /** The consumer dies; it is rebuilt under a new id after one fetch time. */
  async crash(reason: string): Promise<void> {
    this.#group.leave(this.#memberId)
    this.suspend()
    this.#assignment = []
    this.#events?.lost(reason)
    await this.#log.clock.sleep(this.#log.fetchMs, this.#stop.signal)
    this.#join()
  }

  /** As SIGKILL: it stops without leaving its group. */
  kill(): void {
    this.#group.orphan(this.#memberId)
    this.#end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return
    this.#end()
    this.#group.leave(this.#memberId)
  }

  /** Called by the group. */
  assign(partitions: readonly number[], memberId: string): void {
    if (this.#stop.signal.aborted) return
    this.#memberId = memberId
    this.#assignment = partitions
    this.#suspended = false
    this.#positions.clear()
    for (const partition of partitions) this.#holdsOf(partition).add('unpositioned')
    this.#announce(partitions, memberId)
    this.#joined.resolve(undefined)
    this.#pump()
  }

  /** Called by the group. */
  suspend(): void {
    this.#suspended = true
    this.#aliveMs = this.#log.clock.nowMs()
  }

  #join(): void {
    this.#memberId = this.#group.join({
      instance: this.#instance,
      assign: (partitions, memberId) => this.assign(partitions, memberId),
      suspend: () => this.suspend()
    })
  }

  #end(): void {
    this.#stop.abort()
    this.#wakes?.[Symbol.dispose]()
    this.#suspended = true
    this.#assignment = []
  }

  #holdsOf(partition: number): Set<Hold> {
    const found = this.#holds.get(partition) ?? new Set<Hold>()
    this.#holds.set(partition, found)
    return found
  }

  /** Fetches after one fetch time, again while there is something to fetch. */
  #pump(): void {
    if (this.#pumping || this.#ready().length === 0) return
    this.#pumping = true
    this.#log.clock.sleep(this.#log.fetchMs, this.#stop.signal).then(
      () => {
        this.#pumping = false
        for (const partition of this.#ready()) this.#fetch(partition)
        this.#pump()
      },
      () => {
        // Disposed: nobody waits for records any more.
        this.#pumping = false
      }
    )
  }

  #ready(): readonly number[] {
    if (this.#suspended || !this.#log.isUp('log')) return []
    return this.#assignment.filter(partition => {
      const position = this.#positions.get(partition)
      if (position === undefined || this.#holdsOf(partition).size > 0) return false
      return position !== this.#log.bounds(partition).end
    })
  }

  #fetch(partition: number): void {
    const position = this.#positions.get(partition)
    if (position === undefined || this.#holdsOf(partition).size > 0) return
    const { start, end } = this.#log.bounds(partition)
    if (position < start || position > end) {
      this.#holdsOf(partition).add('unpositioned')
      this.#events?.outside(partition, position, start, end)
      return
    }
    const records = this.#log.slice(partition, position, end, batchRecords)
    const next = position + BigInt(records.length)
    const taken = this.#offer({ partition, from: position, next, records })
    // The handler may have called `readFrom`: its position wins.
    if (taken && this.#positions.get(partition) === position) this.#positions.set(partition, next)
  }

  /** A handler that throws has not taken the batch: no error of its own may end the loop. */
  #offer(batch: RecordBatch): boolean {
    try {
      return this.#events?.batch(batch) ?? false
    } catch {
      return false
    }
  }

  #announce(partitions: readonly number[], memberId: string): void {
    try {
      this.#events?.assigned(partitions, memberId)
    } catch {
      // Whatever was not positioned stays held.
    }
  }
}
