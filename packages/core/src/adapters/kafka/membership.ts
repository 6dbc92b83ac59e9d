// One life of a consumer, from its making to its crash: what KafkaJS tells, as few values. A new life has a new
// client, since KafkaJS shares committed offsets between the consumers of one.
import type { Cluster, Consumer, EachBatchPayload } from 'kafkajs'
import { byInstance } from './assigner.ts'
import { clientRetry } from './client.ts'
import type { NewClient } from './client.ts'
import type { Pausable } from './pause-authority.ts'

export interface MembershipEvents {
  /** Synchronous, before the first fetch of the generation. Must not throw. */
  joined(membership: Membership, partitions: readonly number[], memberId: string): void
  /** Only control or aborted records, up to before `next`: KafkaJS moves on without a batch. */
  skipped(partition: number, next: bigint): void
  /** KafkaJS is about to overwrite the committed offset. */
  outOfRange(partition: number): void
  answered(): void
  crashed(reason: string): void
}

export interface MembershipOptions {
  readonly newClient: NewClient
  readonly group: string
  readonly topic: string
  readonly instance: string
}

/** At least as many as partitions: a fetcher waits until all its batches are handled. */
const handlers = 256

const leaveMs = 5_000

export class Membership implements Pausable {
  readonly consumer: Consumer
  readonly cluster: Cluster
  readonly #options: MembershipOptions
  #generationId = unsettled()

  constructor(options: MembershipOptions, events: MembershipEvents) {
    this.#options = options
    const { newClient, group, topic, instance } = options
    let captured: Cluster | undefined
    const client = newClient(({ log }) => {
      // KafkaJS tells this in its log alone; a version with other words is caught by the contract test.
      if (!log.message.startsWith('Offset out of range, resetting') || log['topic'] !== topic) return
      events.outOfRange(Number(log['partition']))
    })
    this.consumer = client.consumer({
      groupId: group,
      partitionAssigners: [
        byInstance(instance, cluster => {
          captured = cluster
        })
      ],
      sessionTimeout: 10_000,
      heartbeatInterval: 500,
      rebalanceTimeout: 60_000,
      metadataMaxAge: 30_000,
      maxWaitTimeInMs: 100,
      minBytes: 1,
      maxBytesPerPartition: 262_144,
      maxBytes: 2_097_152,
      allowAutoTopicCreation: false,
      // Restarts are ours: KafkaJS would come back under a new id and wait for its own ghost.
      retry: { ...clientRetry, initialRetryTime: 300, retries: 5, restartOnFailure: async () => false }
    })
    if (captured === undefined) throw new Error('KafkaJS gave no cluster to the assigner')
    this.cluster = captured
    this.#listen(events)
  }

  /** Joins the group; `MembershipEvents` tell the rest. */
  async run(batch: (payload: EachBatchPayload) => void): Promise<void> {
    await this.consumer.subscribe({ topics: [this.#options.topic], fromBeginning: true })
    await this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: handlers,
      eachBatch: async payload => batch(payload)
    })
  }

  /** Kafka's number of the current generation; known from the first heartbeat in it. */
  generationId(): Promise<number> {
    return this.#generationId.promise
  }

  pause(partition: number): void {
    this.consumer.pause([{ topic: this.#options.topic, partitions: [partition] }])
  }

  resume(partition: number): void {
    this.consumer.resume([{ topic: this.#options.topic, partitions: [partition] }])
  }

  seek(partition: number, position: bigint): void {
    this.consumer.seek({ topic: this.#options.topic, partition, offset: String(position) })
  }

  /** Leaves the group, as long as the brokers answer. */
  async end(): Promise<void> {
    const timeout = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => timeout.resolve(undefined), leaveMs)
    const leaving = this.consumer.disconnect().catch(() => undefined)
    await Promise.race([leaving, timeout.promise])
    clearTimeout(timer)
  }

  #listen(events: MembershipEvents): void {
    const { GROUP_JOIN, HEARTBEAT, START_BATCH_PROCESS, CRASH } = this.consumer.events
    const { topic } = this.#options
    this.consumer.on(GROUP_JOIN, ({ payload }) => {
      // Whoever waits for the last generation learns that it is over.
      this.#generationId.reject(new Error('the group was joined anew'))
      this.#generationId = unsettled()
      events.answered()
      const partitions = [...(payload.memberAssignment[topic] ?? [])].sort((a, b) => a - b)
      events.joined(this, partitions, payload.memberId)
    })
    this.consumer.on(HEARTBEAT, ({ payload }) => {
      events.answered()
      this.#generationId.resolve(payload.groupGenerationId)
      this.#generationId = settled(payload.groupGenerationId)
    })
    this.consumer.on(START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) events.skipped(payload.partition, BigInt(payload.lastOffset) + 1n)
    })
    this.consumer.on(CRASH, ({ payload }) => events.crashed(payload.error.message))
  }
}

function unsettled(): PromiseWithResolvers<number> {
  const pending = Promise.withResolvers<number>()
  pending.promise.catch(() => undefined)
  return pending
}

function settled(value: number): PromiseWithResolvers<number> {
  const resolved = Promise.withResolvers<number>()
  resolved.resolve(value)
  return resolved
}
