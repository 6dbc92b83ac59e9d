// Reading without a group: KafkaJS has no `assign`. Everything private that this needs is in this file and has a
// contract test (`test/integration/kafka-range.test.ts`). Out of range it throws, and damages no committed offset.
import type { Cluster } from 'kafkajs'
import { z } from 'zod'
import { errorTypes } from './error-types.ts'
import type { FetchedMessage } from './fetched-record.ts'
import { requirePrivate } from './private-modules.ts'

export interface FetchAnswer {
  /** Without those of aborted transactions, control records, and what lies before the position in a batch. */
  readonly messages: readonly FetchedMessage[]
  /** The position after them; the one asked for when the broker had nothing. */
  readonly next: bigint
}

export interface FetchRequest {
  readonly topic: string
  readonly partition: number
  readonly position: bigint
  readonly maxBytes: number
  readonly maxWaitMs: number
}

interface Batch {
  readonly messages: readonly FetchedMessage[]
  isEmptyIncludingFiltered(): boolean
  lastOffset(): string
}

type NewBatch = new (topic: string, fetchedOffset: string, data: object) => Batch

const answer = z.object({
  responses: z.tuple([z.object({ partitions: z.tuple([z.looseObject({ partition: z.number() })]) })])
})

/** Throws what KafkaJS throws, e.g. with type `OFFSET_OUT_OF_RANGE` or `NOT_LEADER_FOR_PARTITION`. */
async function fetchWithoutGroup(cluster: Cluster, request: FetchRequest): Promise<FetchAnswer> {
  const { topic, partition, position, maxBytes, maxWaitMs } = request
  const Batch = batchClass()
  await cluster.addTargetTopic(topic)
  await cluster.refreshMetadataIfNecessary()
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]))
  if (nodeId === undefined) throw new Error(`partition ${partition} of ${topic} has no leader`)
  const broker = await cluster.findBroker({ nodeId })
  const raw: unknown = await broker.fetch({
    // Records of open transactions are not read.
    isolationLevel: 1,
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes,
    topics: [{ topic, partitions: [{ partition, fetchOffset: String(position), maxBytes }] }]
  })
  const [data] = answer.parse(raw).responses[0].partitions
  const batch = new Batch(topic, String(position), data)
  const next = batch.isEmptyIncludingFiltered() ? position : BigInt(batch.lastOffset()) + 1n
  return { messages: batch.messages, next }
}

/** As `fetchWithoutGroup`, out of range as an answer. Leaders move: asks who leads now, once. */
export async function fetchFromLeader(
  cluster: Cluster,
  request: FetchRequest
): Promise<FetchAnswer | 'out-of-range'> {
  try {
    return await fetchWithoutGroup(cluster, request)
  } catch (error) {
    if (errorTypes(error).includes('OFFSET_OUT_OF_RANGE')) return 'out-of-range'
    await cluster.refreshMetadata()
    return fetchWithoutGroup(cluster, request)
  }
}

function batchClass(): NewBatch {
  return z
    .custom<NewBatch>(value => typeof value === 'function' && 'lastOffset' in value.prototype)
    .parse(requirePrivate('consumer/batch'))
}
