// Reading without a group: the private parts of KafkaJS that it needs, on a real broker.
import { randomUUID } from 'node:crypto'
import kafkajs from 'kafkajs'
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { eventually, lines, Listener, range } from '../support/event-log-under-test.ts'
import { type KafkaUnderTest, openKafkaLog } from '../support/kafka-event-log.ts'

const { CompressionTypes } = kafkajs
const never = new AbortController().signal

describe('kafka range reader', () => {
  let log: KafkaUnderTest

  beforeEach(async () => {
    log = await openKafkaLog(inject('kafkaBrokers'), inject('schemaRegistryUrl'))
  })
  afterEach(() => log[Symbol.asyncDispose]())

  test.each(['GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const)(
    'batches in %s are read by range and by group, each offset once',
    async name => {
      const messages = lines(300).map(({ key, value }) => ({ key, value: Buffer.from(value), partition: 1 }))
      for (const part of [messages.slice(0, 200), messages.slice(200)]) {
        const compression = CompressionTypes[name]
        await log.producer.send({ topic: log.names.documents, messages: part, compression })
      }

      // 150 lies inside the first batch: the broker sends the batch from its beginning.
      const { records, missing } = await log.ranges().read(1, [0n, 150n, 151n, 299n, 300n], never)
      expect(records.map(({ key }) => key)).toEqual(['key-0', 'key-150', 'key-151', 'key-299'])
      expect(missing).toEqual(new Map([[300n, 'beyond-end']]))

      const reader = log.reader(randomUUID(), 'one')
      const seen = new Listener(reader, new Map([[1, 150n]]))
      await reader.start(seen, never)
      await vi.waitFor(() => expect(seen.offsets(1)).toEqual(range(150, 300)), eventually)
    }
  )

  test('a hole in the offsets is absent', async () => {
    const transactions = log.transactional(`tx-${randomUUID()}`)
    await transactions.connect()
    const transaction = await transactions.transaction()
    await transaction.send({ topic: log.names.documents, messages: [{ partition: 0, value: 'a' }] })
    await transaction.commit()
    const aborted = await transactions.transaction()
    await aborted.send({ topic: log.names.documents, messages: [{ partition: 0, value: 'b' }] })
    await aborted.abort()
    await transactions.disconnect()
    const plain = await log.append(0, lines(1))
    // Transactions end in the background: wait for both markers.
    await vi.waitFor(async () => expect((await log.admin().bounds()).get(0)?.end).toBe(5n), eventually)

    const { records, missing } = await log.ranges().read(0, range(0, 5), never)
    expect(records.map(({ offset }) => offset)).toEqual([0n, plain])
    expect([...missing.values()]).toEqual(['absent', 'absent', 'absent'])
  })

  test('a partition that is not there is no answer', async () => {
    await expect(log.ranges().read(9, [0n], never)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
  })

  test('thousands of records far apart are found in few reads', async () => {
    await log.append(0, lines(6_000))
    const wanted = range(0, 6_000).filter(offset => offset % 7n === 0n)
    const { records, missing } = await log.ranges().read(0, wanted, never)
    expect(records.map(({ offset }) => offset)).toEqual(wanted)
    expect(missing.size).toBe(0)
  })
})
