// A dead letter as a message: the value is the record's own; all else stands in headers.
import type { Message } from 'kafkajs'
import type { DeadLetter } from '../../ports/event-log.ts'
import type { FetchedMessage } from './fetched-record.ts'

const name = {
  partition: 'pointsman-partition',
  offset: 'pointsman-offset',
  key: 'pointsman-key',
  reason: 'pointsman-reason',
  attempts: 'pointsman-attempts',
  atMs: 'pointsman-at-ms'
} as const

export function deadLetterMessage(topic: string, letter: DeadLetter): Message {
  const { partition, offset, key, value, reason, attempts, atMs } = letter
  return {
    key: `${topic}-${partition}-${offset}`,
    value: value === undefined ? null : Buffer.from(value),
    headers: {
      [name.partition]: String(partition),
      [name.offset]: String(offset),
      ...(key !== undefined && { [name.key]: key }),
      [name.reason]: reason,
      [name.attempts]: String(attempts),
      [name.atMs]: String(atMs)
    }
  }
}

/** Undefined for a message that is no dead letter of ours. */
export function deadLetterOf({ headers, value }: FetchedMessage): DeadLetter | undefined {
  const text = (header: string): string | undefined => {
    const found = headers?.[header]
    return typeof found === 'string' || Buffer.isBuffer(found) ? found.toString() : undefined
  }
  const partition = text(name.partition)
  const offset = text(name.offset)
  if (partition === undefined || offset === undefined || !/^\d+$/.test(partition + offset)) return undefined
  return {
    partition: Number(partition),
    offset: BigInt(offset),
    key: text(name.key),
    value: value === null ? undefined : Buffer.from(value),
    reason: text(name.reason) ?? '',
    attempts: Number(text(name.attempts) ?? 0),
    atMs: Number(text(name.atMs) ?? 0)
  }
}
