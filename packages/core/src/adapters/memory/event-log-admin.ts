import { Failure } from '../../domain/failure.ts'
import type { GroupState, LogAdmin, LogBounds } from '../../ports/event-log.ts'
import type { MemoryLog } from './event-log.ts'

const leastRetentionMs = 48 * 3_600_000

export class MemoryLogAdmin implements LogAdmin {
  readonly #log: MemoryLog

  constructor(log: MemoryLog) {
    this.#log = log
  }

  async prepare(partitions: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#log.requireUp('log')
    if (this.#log.partitions === 0) this.#log.addPartitions(partitions)
    const { cleanupPolicy, retentionMs } = this.#log.settings
    const problems: string[] = []
    if (cleanupPolicy !== 'delete') problems.push(`cleanup.policy is ${cleanupPolicy}: set it to delete`)
    if (retentionMs !== undefined && retentionMs < leastRetentionMs) {
      problems.push(`retention.ms is ${retentionMs}: set it to at least ${leastRetentionMs}`)
    }
    if (problems.length > 0) throw new Failure('TOPIC_UNFIT', `topic documents: ${problems.join('; ')}`)
  }

  async bounds(): Promise<ReadonlyMap<number, LogBounds>> {
    this.#log.requireUp('log')
    return new Map(this.#partitions().map(partition => [partition, this.#log.bounds(partition)]))
  }

  async committed(group: string): Promise<ReadonlyMap<number, bigint | undefined>> {
    this.#log.requireUp('log')
    const { committed } = this.#log.group(group)
    return new Map(this.#partitions().map(partition => [partition, committed.get(partition)]))
  }

  async group(group: string): Promise<GroupState> {
    this.#log.requireUp('log')
    return this.#log.group(group).describe()
  }

  async retentionMs(): Promise<number | undefined> {
    this.#log.requireUp('log')
    return this.#log.settings.retentionMs
  }

  async evict(group: string, memberId: string): Promise<void> {
    this.#log.requireUp('log')
    this.#log.group(group).evict(memberId)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held open.
  }

  #partitions(): readonly number[] {
    return Array.from({ length: this.#log.partitions }, (_, partition) => partition)
  }
}
