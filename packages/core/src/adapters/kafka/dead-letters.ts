import type { Message } from 'kafkajs'
import type { DeadLetter, DeadLetters, LogRecord, StoredDeadLetter } from '../../ports/event-log.ts'
import type { Names } from '../../runtime/names.ts'
import type { NewClient } from './client.ts'
import { deadLetterMessage, deadLetterOf } from './dead-letter-message.ts'
import { LogProducer } from './producer.ts'
import { KafkaRangeReader } from './range-reader.ts'

/** The topic has one partition: see topic-settings.ts. */
const partition = 0
const beyondEveryOffset = 2n ** 63n - 1n

export class KafkaDeadLetters implements DeadLetters {
  readonly #names: Names
  readonly #letters: LogProducer
  readonly #documents: LogProducer
  readonly #reader: KafkaRangeReader

  constructor(newClient: NewClient, names: Names) {
    this.#names = names
    this.#letters = new LogProducer(newClient, names.deadLetters)
    this.#documents = new LogProducer(newClient, names.documents)
    this.#reader = new KafkaRangeReader(newClient, names.deadLetters)
  }

  async write(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void> {
    const messages = letters.map(letter => deadLetterMessage(this.#names.documents, letter))
    await this.#letters.send(messages, signal)
  }

  async list(limit: number, signal: AbortSignal): Promise<readonly StoredDeadLetter[]> {
    const newest = new Map<string, StoredDeadLetter>()
    for await (const letter of this.#stored(0n, beyondEveryOffset, signal)) {
      const source = `${letter.partition}-${letter.offset}`
      newest.delete(source)
      newest.set(source, letter)
    }
    return [...newest.values()].slice(0, limit)
  }

  async replay(ids: readonly string[], signal: AbortSignal): Promise<number> {
    const messages: Message[] = []
    for (const id of ids) {
      const offset = /^0-(\d{1,19})$/.exec(id)?.[1]
      if (offset === undefined) continue
      const from = BigInt(offset)
      for await (const letter of this.#stored(from, from + 1n, signal)) messages.push(originalOf(letter))
    }
    await this.#documents.send(messages, signal)
    return messages.length
  }

  async repeat(records: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    await this.#documents.send(
      records.map(record =>
        record.value === undefined
          ? { ...originalOf(record), timestamp: String(record.timestampMs) }
          : originalOf(record)
      ),
      signal
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [this.#letters, this.#documents, this.#reader].map(resource => resource[Symbol.asyncDispose]())
    )
  }

  async *#stored(from: bigint, to: bigint, signal: AbortSignal): AsyncIterable<StoredDeadLetter> {
    for await (const messages of this.#reader.scanMessages(partition, from, to, signal)) {
      for (const message of messages) {
        const letter = deadLetterOf(message)
        if (letter !== undefined) yield { ...letter, id: `${partition}-${message.offset}` }
      }
    }
  }
}

/** Without a key nothing else says where it belongs. */
function originalOf({
  key,
  value,
  partition: source
}: Pick<LogRecord, 'key' | 'value' | 'partition'>): Message {
  const original = value === undefined ? null : Buffer.from(value)
  return key === undefined ? { partition: source, value: original } : { key, value: original }
}
