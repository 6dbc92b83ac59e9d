import type { LogRecord, MissingReason, RangeReader } from '../../ports/event-log.ts'
import type { MemoryLog } from './event-log.ts'

const batchRecords = 500

export class MemoryRangeReader implements RangeReader {
  readonly #log: MemoryLog

  constructor(log: MemoryLog) {
    this.#log = log
  }

  async read(
    partition: number,
    offsets: readonly bigint[],
    signal: AbortSignal
  ): Promise<{
    readonly records: readonly LogRecord[]
    readonly missing: ReadonlyMap<bigint, MissingReason>
  }> {
    signal.throwIfAborted()
    this.#log.requireUp('log')
    const { start, end } = this.#log.bounds(partition)
    const records: LogRecord[] = []
    const missing = new Map<bigint, MissingReason>()
    for (const offset of offsets) {
      const [record] = this.#log.slice(partition, offset, offset + 1n, 1)
      if (offset < start) missing.set(offset, 'expired')
      else if (offset >= end) missing.set(offset, 'beyond-end')
      else if (record === undefined) missing.set(offset, 'absent')
      else records.push(record)
    }
    return { records, missing }
  }

  async *scan(
    partition: number,
    from: bigint,
    to: bigint,
    signal: AbortSignal
  ): AsyncIterable<readonly LogRecord[]> {
    const { start, end } = this.#log.bounds(partition)
    const stop = to < end ? to : end
    let position = from > start ? from : start
    while (position < stop) {
      signal.throwIfAborted()
      this.#log.requireUp('log')
      const records = this.#log.slice(partition, position, stop, batchRecords)
      position += BigInt(records.length)
      yield records
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held open.
  }
}
