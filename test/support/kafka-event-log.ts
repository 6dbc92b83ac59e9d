// Namespaces on a real Kafka for tests, and what only tests do to it.
import { randomUUID } from 'node:crypto'
import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs'
import { pino } from 'pino'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaControlLog } from '@pointsman/core/adapters/kafka/control-log'
import { KafkaDeadLetters } from '@pointsman/core/adapters/kafka/dead-letters'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaDocumentWriter } from '@pointsman/core/adapters/kafka/document-writer'
import { KafkaGroupReader } from '@pointsman/core/adapters/kafka/group-reader'
import { KafkaLogAdmin } from '@pointsman/core/adapters/kafka/log-admin'
import { KafkaRangeReader } from '@pointsman/core/adapters/kafka/range-reader'
import type { RangeReader } from '@pointsman/core/ports/event-log'
import { namesOf, type Names } from '@pointsman/core/runtime/names'
import { kafkaSettings, registrySettings } from '@pointsman/core/runtime/settings'
import { z } from 'zod'
import type { EventLogUnderTest } from './event-log-under-test.ts'

export interface KafkaUnderTest extends EventLogUnderTest {
  readonly names: Names
  /** A plain client, nothing of ours. */
  readonly plainAdmin: Admin
  readonly producer: Producer
  controlLog(): KafkaControlLog
  /** Of the documents unless another topic is named. */
  ranges(topic?: string): RangeReader
  /** A transactional one; the caller connects and disconnects it. */
  transactional(transactionalId: string): Producer
}

const level = process.env['TEST_LOG_LEVEL'] ?? 'silent'
export const testLog = pino({ level }, pino.destination(2))

export async function openKafkaLog(
  brokers: readonly string[],
  schemaRegistryUrl: string,
  partitions = 3
): Promise<KafkaUnderTest> {
  const settings = z.object(kafkaSettings).parse({ KAFKA_BROKERS: brokers.join(',') })
  const registry = z.object(registrySettings).parse({ SCHEMA_REGISTRY_URL: schemaRegistryUrl })
  const names = namesOf(`t-${randomUUID().slice(0, 13)}`)
  const clients = kafkaClients(settings, 'test', testLog)
  const opened = new AsyncDisposableStack()
  const plain = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 8 } })
  const plainAdmin = plain.admin()
  const producer = plain.producer({ allowAutoTopicCreation: false })
  await Promise.all([plainAdmin.connect(), producer.connect()])
  opened.defer(() => plainAdmin.disconnect())
  opened.defer(() => producer.disconnect())
  opened.defer(() =>
    plainAdmin
      .deleteTopics({ topics: [names.documents, names.deadLetters, names.control] })
      .catch(() => undefined)
  )
  const admin = opened.use(new KafkaLogAdmin(clients, names, testLog))
  await admin.prepare(partitions, new AbortController().signal)

  return {
    names,
    plainAdmin,
    producer,
    transactional: transactionalId =>
      plain.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 }),
    reader: (group, instance) =>
      opened.use(new KafkaGroupReader(clients, group, names.documents, instance, testLog)),
    ranges: (topic = names.documents) => opened.use(new KafkaRangeReader(clients, topic)),
    admin: () => admin,
    codec: () => new KafkaDocumentCodec(registry, names.documents),
    writer: codec => opened.use(new KafkaDocumentWriter(clients, names.documents, codec)),
    controlLog: () => opened.use(new KafkaControlLog(clients, names)),
    deadLetters: () => opened.use(new KafkaDeadLetters(clients, names)),
    append: async (partition, records) => {
      const messages = records.map(({ key, value }) => ({
        partition,
        key: key ?? null,
        value: value === undefined ? null : Buffer.from(value)
      }))
      const [sent] = await producer.send({ topic: names.documents, messages })
      return BigInt(sent?.baseOffset ?? -1)
    },
    trim: async (partition, start) => {
      // Loads the metadata that the next call forgets to load.
      await plainAdmin.fetchTopicOffsets(names.documents)
      const partitions = [{ partition, offset: String(start) }]
      await plainAdmin.deleteTopicRecords({ topic: names.documents, partitions })
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync()
  }
}
