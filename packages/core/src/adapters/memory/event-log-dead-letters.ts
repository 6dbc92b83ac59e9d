import type { DeadLetter, DeadLetters, LogRecord, StoredDeadLetter } from '../../ports/event-log.ts'
import type { MemoryLog } from './event-log.ts'

export class MemoryDeadLetters implements DeadLetters {
  readonly #log: MemoryLog

  constructor(log: MemoryLog) {
    this.#log = log
  }

  async write(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#log.requireUp('log')
    this.#log.letters.push(...letters)
  }

  async list(limit: number, signal: AbortSignal): Promise<readonly StoredDeadLetter[]> {
    signal.throwIfAborted()
    this.#log.requireUp('log')
    const newest = new Map<string, StoredDeadLetter>()
    for (const [index, letter] of this.#log.letters.entries()) {
      const source = `${letter.partition}-${letter.offset}`
      newest.delete(source)
      newest.set(source, { ...letter, id: `0-${index}` })
    }
    return [...newest.values()].slice(0, limit)
  }

  async replay(ids: readonly string[], signal: AbortSignal): Promise<number> {
    signal.throwIfAborted()
    this.#log.requireUp('log')
    const letters = ids.flatMap(id => this.#log.letters[Number(/^0-(\d+)$/.exec(id)?.[1])] ?? [])
    for (const letter of letters) this.#append(letter)
    return letters.length
  }

  async repeat(records: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#log.requireUp('log')
    for (const record of records) {
      this.#append(record, record.value === undefined ? record.timestampMs : undefined)
    }
  }

  #append({ key, value, partition }: Pick<LogRecord, 'key' | 'value' | 'partition'>, timeMs?: number): void {
    this.#log.append(key === undefined ? partition : this.#log.partitionOf(key), key, value, timeMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held open.
  }
}
