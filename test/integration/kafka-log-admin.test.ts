import { randomUUID } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { expect, inject, test } from 'vitest'
import { z } from 'zod'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaLogAdmin } from '@pointsman/core/adapters/kafka/log-admin'
import { namesOf } from '@pointsman/core/runtime/names'
import { kafkaSettings } from '@pointsman/core/runtime/settings'
import { testLog } from '../support/kafka-event-log.ts'

test('topics that would lose documents are refused: every one, every reason, with the remedy', async () => {
  const brokers = inject('kafkaBrokers')
  const names = namesOf(`t-${randomUUID()}`)
  await using opened = new AsyncDisposableStack()
  const plain = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
  await plain.connect()
  opened.defer(() => plain.disconnect())
  opened.defer(() => plain.deleteTopics({ topics: [names.documents, names.control, names.deadLetters] }))
  const entries = (config: Record<string, string>) =>
    Object.entries(config).map(([name, value]) => ({ name, value }))
  await plain.createTopics({
    waitForLeaders: false,
    topics: [
      {
        topic: names.documents,
        numPartitions: 2,
        configEntries: entries({ 'cleanup.policy': 'compact', 'retention.ms': '3600000' })
      },
      { topic: names.control, numPartitions: 1, configEntries: entries({ 'retention.ms': '3600000' }) }
    ]
  })
  const settings = z.object(kafkaSettings).parse({ KAFKA_BROKERS: brokers.join(',') })
  const admin = opened.use(new KafkaLogAdmin(kafkaClients(settings, 'test', testLog), names, testLog))

  const failure: unknown = await admin
    .prepare(8, new AbortController().signal)
    .catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'TOPIC_UNFIT' })
  const problems = failure instanceof Error ? failure.message.split('\n').slice(1) : []
  expect(problems.map(problem => problem.trim().split(';')[0])).toEqual([
    expect.stringContaining(`${names.documents}: cleanup.policy is compact`),
    expect.stringContaining(`${names.documents}: retention.ms is 3600000`),
    expect.stringContaining(`${names.control}: retention.ms is 3600000`)
  ])
  expect((await admin.bounds()).size).toBe(2)
})
