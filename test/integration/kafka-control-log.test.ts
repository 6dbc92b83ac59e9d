import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { Stack } from '../../tools/stack/start-stack.ts'
import { controlLogContract, controlLogOutageContract, stored, switchIds } from '../contract/control-log.ts'
import { anIntent, anOpened, anOutcome } from '../support/control-records.ts'
import { eventually } from '../support/event-log-under-test.ts'
import { type KafkaUnderTest, openKafkaLog } from '../support/kafka-event-log.ts'
import { startOwnServers } from '../support/own-servers.ts'

const never = new AbortController().signal
const patiently = { timeout: 60_000, interval: 50 }
const openShared = () => openKafkaLog(inject('kafkaBrokers'), inject('schemaRegistryUrl'), 1)

controlLogContract('kafka', async () => {
  const kafka = await openShared()
  const { names, plainAdmin, producer } = kafka
  const topic = names.control
  return {
    open: () => kafka.controlLog(),
    appendText: async text => {
      await producer.send({ topic, messages: [{ value: text }] })
    },
    trim: async start => {
      // Loads the metadata that the next call forgets to load.
      await plainAdmin.fetchTopicOffsets(topic)
      await plainAdmin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(start) }] })
    },
    makeAnew: async () => {
      await plainAdmin.deleteTopics({ topics: [topic] })
      // The name is not free at once.
      await vi.waitFor(() => kafka.admin().prepare(1, never), eventually)
    },
    [Symbol.asyncDispose]: () => kafka[Symbol.asyncDispose]()
  }
})

describe('kafka control log', () => {
  test('records stand under the id of their switch', async () => {
    await using kafka = await openShared()
    const log = kafka.controlLog()
    for (const record of [anOpened(), anIntent('a'), anOutcome('a')]) await log.append(record, never)

    const keys: (string | undefined)[] = []
    for await (const records of kafka.ranges(kafka.names.control).scan(0, 0n, 9n, never)) {
      keys.push(...records.map(({ key }) => key))
    }
    expect(keys).toEqual(['opened', 'a', 'a'])
  })

  test('a record without value reads as one that is unknown', async () => {
    await using kafka = await openShared()
    const log = kafka.controlLog()
    await kafka.producer.send({ topic: kafka.names.control, messages: [{ key: 'a', value: null }] })
    await log.append(anIntent('a'), never)
    expect(await log.read(0n, never)).toEqual(stored(0, [undefined, anIntent('a')]))
  })

  test('a log of several fetches is read whole', async () => {
    await using kafka = await openShared()
    const log = kafka.controlLog()
    const reason = 'r'.repeat(400_000)
    const records = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(id => anIntent(id, { reason }))
    for (const record of records) await log.append(record, never)
    expect(await log.read(0n, never)).toEqual(stored(0, records))
    expect(await log.read(5n, never)).toEqual(stored(5, records.slice(5)))
  })

  test('no call makes a connection but the first', async () => {
    await using kafka = await openShared()
    const log = kafka.controlLog()
    await log.append(anOpened(), never)
    await log.read(0n, never)

    let made = 0
    const count = (): void => {
      made += 1
    }
    subscribe('net.client.socket', count)
    for (let round = 0n; round < 10n; round += 1n) {
      await log.append(anIntent(`s-${round}`), never)
      expect(await log.read(1n + round, never)).toHaveLength(1)
    }
    // Nor does one that is given up.
    const impatience = new AbortController()
    const impatient = log.read(0n, impatience.signal)
    impatience.abort(new Error('enough'))
    await expect(impatient).rejects.toThrow('enough')
    expect(await log.read(10n, never)).toHaveLength(1)
    expect(made).toBe(0)
    // The measure itself works.
    await kafka.controlLog().read(0n, never)
    unsubscribe('net.client.socket', count)
    expect(made).toBeGreaterThan(0)
  })
})

describe('kafka control log on a broker that is killed', { timeout: 120_000 }, () => {
  let stack: Stack
  let kafka: KafkaUnderTest

  beforeAll(async () => {
    stack = await startOwnServers('kafka')
    kafka = await openKafkaLog(stack.env.KAFKA_BROKERS.split(','), inject('schemaRegistryUrl'), 1)
  }, 120_000)
  afterAll(async () => {
    await kafka[Symbol.asyncDispose]()
    await stack[Symbol.asyncDispose]()
  }, 60_000)

  test('nothing is lost, and nothing doubled unless its append failed', async () => {
    const log = kafka.controlLog()
    const reader = kafka.controlLog()
    const acknowledged: string[] = []
    const failed = new Set<string>()
    const stop = new AbortController()
    const writing = (async () => {
      for (let index = 0; !stop.signal.aborted; index += 1) {
        const id = `s-${index}`
        await log.append(anIntent(id), never).then(
          () => acknowledged.push(id),
          () => failed.add(id)
        )
      }
    })()
    const proceeds = async () => {
      const before = acknowledged.length
      await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 20), patiently)
    }
    await proceeds()
    for (const end of ['kill', 'stop'] as const) {
      await stack.part('kafka')[end]()
      await stack.part('kafka').restart()
      await proceeds()
    }
    stop.abort()
    await writing

    const ids = await vi.waitFor(async () => switchIds(await reader.read(0n, never)), patiently)
    expect(ids.filter(id => !failed.has(id))).toEqual(acknowledged)
  })

  controlLogOutageContract('kafka', async () => {
    // A log of its own on the same broker.
    const own = await openKafkaLog(stack.env.KAFKA_BROKERS.split(','), inject('schemaRegistryUrl'), 1)
    return {
      log: own.controlLog(),
      beginOutage: () => stack.part('kafka').kill(),
      endOutage: () => stack.part('kafka').restart()
    }
  })
})
