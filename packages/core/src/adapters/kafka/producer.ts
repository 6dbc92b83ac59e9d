import { Partitioners } from 'kafkajs'
import type { Message } from 'kafkajs'
import { Failure } from '../../domain/failure.ts'
import type { NewClient } from './client.ts'
import { errorTypes } from './error-types.ts'
import { Reconnecting } from './reconnecting.ts'

// Finite, so that a producer that was given up stops trying; longer than the restart of a broker.
const retry = { initialRetryTime: 100, multiplier: 2, factor: 0.2, maxRetryTime: 3_000, retries: 9 }
const sendMs = 30_000
/** KafkaJS makes one record batch per partition of a send, and a broker takes batches of 1 MiB. */
const maxSendBytes = 900_000
const overheadBytes = 70

/**
 * Writes to one topic: idempotently, acknowledged by all replicas, in the order of the calls. After a failure a new
 * producer is made, since the state of the old one is unknown.
 */
export class LogProducer implements AsyncDisposable {
  readonly #topic: string
  readonly #producer: Reconnecting<ReturnType<ReturnType<NewClient>['producer']>>
  #queue: Promise<unknown> = Promise.resolve()

  constructor(newClient: NewClient, topic: string) {
    this.#topic = topic
    this.#producer = new Reconnecting({
      connect: async () => {
        const producer = newClient().producer({
          idempotent: true,
          // More in flight is not implemented for idempotent producers.
          maxInFlightRequests: 1,
          allowAutoTopicCreation: false,
          metadataMaxAge: 30_000,
          createPartitioner: Partitioners.DefaultPartitioner,
          retry
        })
        await producer.connect()
        return producer
      },
      disconnect: producer => producer.disconnect()
    })
  }

  /** So that the first `send` does not wait for it. @throws {Failure} `LOG_UNAVAILABLE`. */
  async connect(signal: AbortSignal): Promise<void> {
    const deadline = { ms: sendMs, what: 'connecting to write', code: 'LOG_UNAVAILABLE', signal } as const
    await this.#producer.use(deadline, async () => undefined)
  }

  /**
   * Resolves when all are acknowledged; after a failure any part of them may have been written.
   * @throws {Failure} `LOG_UNAVAILABLE`; `DOCUMENT_UNREADABLE` when one is larger than the broker takes.
   */
  send(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    const turn = this.#queue.then(() => this.#send(messages, signal))
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue
    await this.#producer[Symbol.asyncDispose]()
  }

  async #send(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    for (const chunk of chunksOf(messages)) {
      const deadline = { ms: sendMs, what: 'writing to the log', code: 'LOG_UNAVAILABLE', signal } as const
      try {
        await this.#producer.use(deadline, producer =>
          producer.send({ topic: this.#topic, acks: -1, timeout: sendMs, messages: chunk })
        )
      } catch (error) {
        if (!isTooLarge(error)) throw error
        throw new Failure('DOCUMENT_UNREADABLE', 'larger than the broker takes', { cause: error })
      }
    }
  }
}

/** Chunks of at most `maxSendBytes`; a larger message goes alone. */
export function chunksOf(messages: readonly Message[]): readonly Message[][] {
  const chunks: Message[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const message of messages) {
    const size = (message.value?.length ?? 0) + (message.key?.length ?? 0) + overheadBytes
    if (bytes + size > maxSendBytes) {
      chunks.push([])
      bytes = 0
    }
    chunks.at(-1)?.push(message)
    bytes += size
  }
  return chunks
}

function isTooLarge(error: unknown): boolean {
  return errorTypes(error).some(type => type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE')
}
