// A broker that goes away: on a Kafka of its own, since others share the usual one.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { Stack } from '../../tools/stack/start-stack.ts'
import { aDocument, lines, Listener, range } from '../support/event-log-under-test.ts'
import { type KafkaUnderTest, openKafkaLog } from '../support/kafka-event-log.ts'
import { startOwnServers } from '../support/own-servers.ts'

const never = new AbortController().signal
const patiently = { timeout: 60_000, interval: 50 }
const starts = new Map([0, 1, 2].map(partition => [partition, 0n]))

describe('kafka outage', { timeout: 120_000 }, () => {
  let stack: Stack
  let log: KafkaUnderTest

  beforeAll(async () => {
    stack = await startOwnServers('kafka')
    log = await openKafkaLog(stack.env.KAFKA_BROKERS.split(','), inject('schemaRegistryUrl'))
  }, 120_000)
  afterAll(async () => {
    await log[Symbol.asyncDispose]()
    await stack[Symbol.asyncDispose]()
  }, 60_000)

  test('brokers that are down at the start are waited for, and that is told', async () => {
    await stack.part('kafka').stop()
    const reader = log.reader(randomUUID(), 'one')
    const seen = new Listener(reader)
    const started = reader.start(seen, never)
    await vi.waitFor(() => expect(seen.losses.length).toBeGreaterThan(0), patiently)

    await stack.part('kafka').restart()
    await started
    expect(seen.joins).toHaveLength(1)
    await reader[Symbol.asyncDispose]()
  })

  test('a reader that waits for brokers can be stopped', async () => {
    await stack.part('kafka').stop()
    const reader = log.reader(randomUUID(), 'one')
    const stop = new AbortController()
    const seen = new Listener(reader)
    const started = reader.start(seen, stop.signal)
    await vi.waitFor(() => expect(seen.losses.length).toBeGreaterThan(0), patiently)
    stop.abort(new Error('enough'))
    await expect(started).rejects.toThrow('enough')
    await stack.part('kafka').restart()
  })

  test('after a broker was killed the reader goes on where it was; held partitions stay held', async () => {
    const group = randomUUID()
    const first = (await log.admin().bounds()).get(0)?.end ?? 0n
    await log.append(0, lines(20))
    await log.append(1, lines(20))
    const reader = log.reader(group, 'one')
    reader.hold(1, 'other-lane')
    const seen = new Listener(reader, new Map([...starts, [0, first]]))
    await reader.start(seen, never)
    await vi.waitFor(() => expect(seen.offsets(0)).toHaveLength(20), patiently)
    expect((await reader.commit(new Map([[0, first + 20n]]))).size).toBe(1)

    await stack.part('kafka').kill()
    await vi.waitFor(() => expect(seen.losses.length).toBeGreaterThan(0), patiently)
    expect(reader.assignment()).toEqual([])
    await vi.waitFor(() => expect(reader.silentMs()).toBeGreaterThan(1_000), patiently)
    expect((await reader.commit(new Map([[0, first + 20n]]))).size).toBe(0)

    await stack.part('kafka').restart()
    const backMs = performance.now()
    await vi.waitFor(() => expect(reader.assignment()).toHaveLength(3), patiently)
    await vi.waitFor(() => log.append(0, lines(5)), patiently)
    await vi.waitFor(() => expect(seen.offsets(0)).toHaveLength(25), patiently)
    // With its own ghost in the group it would have waited for the session timeout of 10 s on top of the back-off.
    expect(performance.now() - backMs).toBeLessThan(15_000)
    expect(seen.offsets(0)).toEqual(range(Number(first), Number(first) + 25))
    expect(seen.offsets(1)).toEqual([])
    expect((await log.admin().committed(group)).get(0)).toBe(first + 20n)
    await reader[Symbol.asyncDispose]()
  })

  test('what is written during a restart arrives, in order; afterwards the same writer writes on', async () => {
    const codec = log.codec()
    await codec.prepare(never)
    const writer = log.writer(codec)
    const document = (version: number) => aDocument({ docId: 'during', version })
    await writer.write([document(1)], never)
    await stack.part('kafka').kill()
    const writing = writer.write([document(2)], never).then(
      () => 'written',
      () => 'failed'
    )
    await stack.part('kafka').restart()
    // A write that fails is the caller's to repeat: the broker answers questions before its listener takes clients back.
    if ((await writing) === 'failed') await vi.waitFor(() => writer.write([document(2)], never), patiently)
    await writer.write([document(3)], never)

    const versions: number[] = []
    for (const [partition, { start, end }] of await log.admin().bounds()) {
      for await (const records of log.ranges().scan(partition, start, end, never)) {
        for (const record of records.filter(({ key }) => key === 'during')) {
          const decoded = await codec.decode(record)
          if (decoded.kind === 'document') versions.push(decoded.document.version)
        }
      }
    }
    expect([...new Set(versions)]).toEqual([1, 2, 3])
  })

  test('every question fails with its code while nobody answers, and is answered again afterwards', async () => {
    const admin = log.admin()
    const ranges = log.ranges()
    await admin.bounds()
    await stack.part('kafka').kill()
    const failed = { code: 'LOG_UNAVAILABLE' }
    await Promise.all([
      expect(admin.bounds()).rejects.toMatchObject(failed),
      expect(admin.group('g')).rejects.toMatchObject(failed),
      expect(admin.committed('g')).rejects.toMatchObject(failed),
      expect(ranges.read(0, [0n], never)).rejects.toMatchObject(failed)
    ])

    await stack.part('kafka').restart()
    expect((await admin.bounds()).size).toBe(3)
    expect((await admin.group('g')).members).toEqual([])
    expect((await ranges.read(0, [0n], never)).records).toHaveLength(1)
  })
})
