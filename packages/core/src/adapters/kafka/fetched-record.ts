import type { LogRecord } from '../../ports/event-log.ts'

/** What KafkaJS knows of a message; of its own type only what is used here. */
export interface FetchedMessage {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined> | undefined
}

/** Copies: a value that outlives the fetch would pin the whole fetch buffer, a thousand times its size. */
export function recordOf(partition: number, message: FetchedMessage): LogRecord {
  const { offset, timestamp, key, value } = message
  return {
    partition,
    offset: BigInt(offset),
    timestampMs: Number(timestamp),
    key: key === null ? undefined : key.toString('utf8'),
    value: value === null ? undefined : Buffer.from(value)
  }
}
