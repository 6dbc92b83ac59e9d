import type { Cluster } from 'kafkajs'
import { Failure } from '../../domain/failure.ts'
import type { ControlLog, ControlRecord, StoredControlRecord } from '../../ports/control-log.ts'
import type { LogBounds } from '../../ports/event-log.ts'
import { abortable } from '../../runtime/abortable.ts'
import { controlLogCut } from '../../runtime/control-log-cut.ts'
import { decodeControlRecord, encodeControlRecord } from '../../runtime/control-record.ts'
import type { Names } from '../../runtime/names.ts'
import { boundsOf } from './bounds.ts'
import type { NewClient } from './client.ts'
import { openCluster } from './cluster.ts'
import type { FetchedMessage } from './fetched-record.ts'
import { fetchFromLeader } from './group-less-fetch.ts'
import type { FetchAnswer } from './group-less-fetch.ts'
import { LogProducer } from './producer.ts'

/** The topic has one partition: see topic-settings.ts. */
const partition = 0
const callMs = 10_000
/** Of one fetch. */
const maxBytes = 1_048_576
/** Never waited for: what is asked for is there. */
const maxWaitMs = 100

export class KafkaControlLog implements ControlLog {
  readonly #topic: string
  readonly #producer: LogProducer
  readonly #connection: ReturnType<typeof openCluster>

  constructor(newClient: NewClient, { control }: Names) {
    this.#topic = control
    this.#producer = new LogProducer(newClient, control)
    this.#connection = openCluster(newClient)
  }

  async prepare(signal: AbortSignal): Promise<void> {
    await this.#producer.connect(signal)
  }

  async append(record: ControlRecord, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const key = record.kind === 'opened' ? record.kind : record.switchId
    await this.#producer.send([{ key, value: encodeControlRecord(record) }], signal)
  }

  async read(from: bigint, signal: AbortSignal): Promise<readonly StoredControlRecord[]> {
    const bounds = await this.#bounds(signal)
    if (from < bounds.start || from > bounds.end) throw controlLogCut(this.#topic, from, bounds)
    const records: StoredControlRecord[] = []
    for (let position = from; position < bounds.end; ) {
      const answer = await this.#fetch(position, signal)
      if (answer === 'out-of-range') throw controlLogCut(this.#topic, position, await this.#bounds(signal))
      records.push(...answer.messages.map(storedRecord))
      // Nothing below a readable end: it was compacted away, and the broker does not say how far.
      position = answer.next > position ? answer.next : position + 1n
    }
    return records
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#producer, this.#connection].map(resource => resource[Symbol.asyncDispose]()))
  }

  async #bounds(signal: AbortSignal): Promise<LogBounds> {
    const bounds = await this.#use('asking for the bounds of the control log', signal, cluster =>
      boundsOf(cluster, this.#topic, [partition])
    )
    const found = bounds.get(partition)
    if (found === undefined) throw new Failure('LOG_UNAVAILABLE', `${this.#topic} has no partition`)
    return found
  }

  #fetch(position: bigint, signal: AbortSignal): Promise<FetchAnswer | 'out-of-range'> {
    return this.#use('reading the control log', signal, cluster =>
      fetchFromLeader(cluster, { topic: this.#topic, partition, position, maxBytes, maxWaitMs })
    )
  }

  /** A caller that gives up does not end the connection, which others are using. */
  #use<Value>(what: string, signal: AbortSignal, call: (cluster: Cluster) => Promise<Value>): Promise<Value> {
    signal.throwIfAborted()
    return abortable(this.#connection.use({ ms: callMs, what, code: 'LOG_UNAVAILABLE' }, call), signal)
  }
}

function storedRecord({ offset, value }: FetchedMessage): StoredControlRecord {
  const record = value === null ? undefined : decodeControlRecord(value.toString('utf8'))
  return { offset: BigInt(offset), record }
}
