import { Failure } from '../../domain/failure.ts'
import type { LogBounds, LogRecord, MissingReason, RangeReader } from '../../ports/event-log.ts'
import { boundsOf } from './bounds.ts'
import type { NewClient } from './client.ts'
import { openCluster } from './cluster.ts'
import type { Deadline } from './deadline.ts'
import { recordOf } from './fetched-record.ts'
import type { FetchedMessage } from './fetched-record.ts'
import { fetchFromLeader } from './group-less-fetch.ts'
import type { FetchAnswer } from './group-less-fetch.ts'
import { spansOf } from './offsets.ts'

const callMs = 10_000
const readMs = 30_000
/** Of one fetch. */
const maxBytes = 1_048_576
const leastBytes = 65_536
/** Of a record's frame. */
const recordOverheadBytes = 24
const maxWaitMs = 100
/** Offsets nearer than this are fetched together: skipping records costs less than another request. */
const nearOffsets = 1_000n

/** The messages of one topic, outside any group. */
export class KafkaRangeReader implements RangeReader {
  readonly #topic: string
  readonly #connection: ReturnType<typeof openCluster>
  /** Bytes of a record in the last answer: who wants a few hundred is not sent, and need not decode, a thousand. */
  #recordBytes = maxBytes

  constructor(newClient: NewClient, topic: string) {
    this.#topic = topic
    this.#connection = openCluster(newClient)
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
    const records: LogRecord[] = []
    const missing = new Map<bigint, MissingReason>()
    if (offsets.length === 0) return { records, missing }

    const deadline = AbortSignal.any([signal, AbortSignal.timeout(readMs)])
    const bounds = await this.#bounds(partition, signal)
    const wanted = new Set(offsets.filter(offset => offset >= bounds.start && offset < bounds.end))
    try {
      for (const { from, to } of spansOf([...wanted], nearOffsets)) {
        for await (const messages of this.#messages(partition, from, to, bounds, deadline)) {
          for (const message of messages) {
            if (wanted.has(BigInt(message.offset))) records.push(recordOf(partition, message))
          }
        }
      }
    } catch (error) {
      if (signal.aborted || !deadline.aborted) throw error
      throw new Failure('LOG_UNAVAILABLE', `reading a range: not done within ${readMs} ms`, { cause: error })
    }
    const found = new Set(records.map(({ offset }) => offset))
    // What the retention took meanwhile is found missing too, as `absent`.
    for (const offset of offsets) if (!found.has(offset)) missing.set(offset, reasonOf(offset, bounds))
    return { records, missing }
  }

  async *scan(
    partition: number,
    from: bigint,
    to: bigint,
    signal: AbortSignal
  ): AsyncIterable<readonly LogRecord[]> {
    for await (const messages of this.scanMessages(partition, from, to, signal)) {
      yield messages.map(message => recordOf(partition, message))
    }
  }

  /** As `scan`, with headers and without copies: take what is needed at once. */
  async *scanMessages(
    partition: number,
    from: bigint,
    to: bigint,
    signal: AbortSignal
  ): AsyncIterable<readonly FetchedMessage[]> {
    yield* this.#messages(partition, from, to, await this.#bounds(partition, signal), signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
  }

  async *#messages(
    partition: number,
    from: bigint,
    to: bigint,
    { start, end }: LogBounds,
    signal: AbortSignal
  ): AsyncIterable<readonly FetchedMessage[]> {
    const stop = to < end ? to : end
    let position = from > start ? from : start
    while (position < stop) {
      const answer = await this.#fetch(partition, position, stop - position, signal)
      if (answer === 'out-of-range') {
        // Retention overtook us: go on at what is left.
        const now = await this.#bounds(partition, signal)
        if (position >= now.start) return
        position = now.start
        continue
      }
      this.#noteSize(answer.messages)
      const messages = answer.messages.filter(({ offset }) => BigInt(offset) < stop)
      if (messages.length > 0) yield messages
      // Nothing below a readable end: compacted away, and the broker does not say how far.
      position = answer.next > position ? answer.next : position + 1n
    }
  }

  #fetch(
    partition: number,
    position: bigint,
    records: bigint,
    signal: AbortSignal
  ): Promise<FetchAnswer | 'out-of-range'> {
    // Twice as much: the log has whole batches, also at both ends of what is wanted.
    const wanted = 2 * Number(records) * this.#recordBytes
    const bytes = Math.max(leastBytes, Math.min(maxBytes, Math.ceil(wanted)))
    const request = { topic: this.#topic, partition, position, maxBytes: bytes, maxWaitMs }
    return this.#connection.use(deadline('reading a range', signal), cluster =>
      fetchFromLeader(cluster, request)
    )
  }

  #noteSize(messages: readonly FetchedMessage[]): void {
    if (messages.length === 0) return
    const bytes = messages.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0)
    this.#recordBytes = bytes / messages.length + recordOverheadBytes
  }

  async #bounds(partition: number, signal: AbortSignal): Promise<LogBounds> {
    const bounds = await this.#connection.use(deadline('asking for the bounds of the log', signal), cluster =>
      boundsOf(cluster, this.#topic, [partition])
    )
    const found = bounds.get(partition)
    if (found === undefined)
      throw new Failure('LOG_UNAVAILABLE', `${this.#topic} has no partition ${partition}`)
    return found
  }
}

function deadline(what: string, signal: AbortSignal): Deadline {
  return { ms: callMs, what, code: 'LOG_UNAVAILABLE', signal }
}

function reasonOf(offset: bigint, { start, end }: LogBounds): MissingReason {
  if (offset < start) return 'expired'
  return offset >= end ? 'beyond-end' : 'absent'
}
