// The rules of the group reader that only a real broker can break.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import type { GroupReader } from '@pointsman/core/ports/event-log'
import { ascending, eventually, lines, Listener, range } from '../support/event-log-under-test.ts'
import { type KafkaUnderTest, openKafkaLog } from '../support/kafka-event-log.ts'

const never = new AbortController().signal

describe('kafka group reader', () => {
  const all = [0, 1, 2] as const
  const starts = new Map(all.map(partition => [partition, 0n]))
  let log: KafkaUnderTest
  let group: string

  beforeEach(async () => {
    log = await openKafkaLog(inject('kafkaBrokers'), inject('schemaRegistryUrl'))
    group = randomUUID()
  })
  afterEach(() => log[Symbol.asyncDispose]())

  async function joined(
    instance: string,
    positions: ReadonlyMap<number, bigint> = new Map(),
    of = group
  ): Promise<{ readonly reader: GroupReader; readonly seen: Listener }> {
    const reader = log.reader(of, instance)
    const seen = new Listener(reader, positions)
    await reader.start(seen, never)
    return { reader, seen }
  }

  async function fill(count: number): Promise<void> {
    for (const partition of all) await log.append(partition, lines(count))
  }

  test('(1) a partition of the other lane never delivers: over joins, evictions and new partitions', async () => {
    await fill(50)
    const { reader, seen } = await joined('one', new Map([[0, 0n]]))
    for (const partition of [1, 2]) reader.hold(partition, 'other-lane')
    await vi.waitFor(() => expect(seen.offsets(0)).toHaveLength(50), eventually)

    const two = await joined('two')
    await vi.waitFor(() => expect(reader.assignment().length).toBeLessThan(3), eventually)
    await two.reader[Symbol.asyncDispose]()
    await vi.waitFor(() => expect(reader.assignment()).toHaveLength(3), eventually)
    await log.admin().evict(group, seen.joins.at(-1)?.memberId ?? '')
    const joins = seen.joins.length
    await vi.waitFor(() => expect(seen.joins.length).toBeGreaterThan(joins), eventually)
    await log.plainAdmin.createPartitions({ topicPartitions: [{ topic: log.names.documents, count: 4 }] })
    await fill(50)
    await vi.waitFor(() => expect(seen.offsets(0)).toEqual(range(0, 100)), eventually)

    expect([...seen.records.keys()]).toEqual([0])
    expect([...two.seen.records.keys()]).toEqual([])
  })

  test('(2) a hundred switches under load: nothing twice, nothing left out, in well under a second', {
    timeout: 120_000
  }, async () => {
    const batch = randomUUID()
    const lanes = [await joined('one'), await joined('one', new Map(), batch)] as const
    const [realtime, other] = lanes
    const admitted = new Map<number, bigint[]>(all.map(partition => [partition, []]))
    const frontier = new Map<number, bigint>(starts)
    let active = 0
    const switchMs: number[] = []
    let switchedAtMs: number | undefined
    for (const [lane, { seen }] of lanes.entries()) {
      const inner = seen.batch.bind(seen)
      seen.batch = given => {
        // The ledger's fence: only the active lane admits, and only at A.
        if (lane !== active || given.from !== frontier.get(given.partition)) return false
        if (switchedAtMs !== undefined) switchMs.push(performance.now() - switchedAtMs)
        switchedAtMs = undefined
        frontier.set(given.partition, given.next)
        admitted.get(given.partition)?.push(...given.records.map(({ offset }) => offset))
        return inner(given)
      }
    }
    for (const partition of all) {
      other.reader.hold(partition, 'other-lane')
      realtime.reader.readFrom(partition, 0n)
      other.reader.readFrom(partition, 0n)
    }

    const producing = new AbortController()
    let produced = 0
    const producer = (async () => {
      while (!producing.signal.aborted) {
        await fill(20)
        produced += 20
      }
    })()
    for (let count = 0; count < 100; count += 1) {
      const before = switchMs.length
      const [from, to] = [lanes[active]!, lanes[1 - active]!]
      active = 1 - active
      switchedAtMs = performance.now()
      for (const partition of all) {
        from.reader.hold(partition, 'other-lane')
        to.reader.readFrom(partition, frontier.get(partition)!)
        to.reader.lift(partition, 'other-lane')
      }
      await vi.waitFor(() => expect(switchMs.length).toBeGreaterThan(before), {
        timeout: 20_000,
        interval: 5
      })
    }
    producing.abort()
    await producer
    for (const partition of all) {
      await vi.waitFor(() => expect(frontier.get(partition)).toBe(BigInt(produced)), eventually)
      expect(admitted.get(partition)).toEqual(range(0, produced))
    }
    const p50 = switchMs.sort(ascending)[49]!
    // The median is bound; the tail belongs to whatever else this computer does.
    expect(p50).toBeLessThan(500)
  })

  test('(3) at a rebalance the keeper goes on where it was, though what is committed lies far behind', async () => {
    await fill(200)
    const one = await joined('one', starts)
    await vi.waitFor(
      () => expect(all.map(p => one.seen.offsets(p).length)).toEqual([200, 200, 200]),
      eventually
    )
    expect((await one.reader.commit(new Map(all.map(partition => [partition, 2n])))).size).toBe(3)

    const two = await joined('two')
    await vi.waitFor(() => expect(one.reader.assignment().length).toBeLessThan(3), eventually)
    await fill(10)
    const [kept] = one.reader.assignment()
    await vi.waitFor(() => expect(one.seen.offsets(kept!)).toEqual(range(0, 210)), eventually)
    for (const partition of two.reader.assignment()) expect(two.seen.offsets(partition)).toEqual([])
  })

  test('(6) what is committed never falls, whoever commits: lost partitions are left out', async () => {
    await fill(100)
    const one = await joined('one', starts)
    expect((await one.reader.commit(new Map(all.map(partition => [partition, 50n])))).size).toBe(3)
    const two = await joined('two')
    await vi.waitFor(() => expect(one.reader.assignment().length).toBeLessThan(3), eventually)
    const [lost] = two.reader.assignment()
    const [kept] = one.reader.assignment()
    await vi.waitFor(async () => {
      expect(await two.reader.commit(new Map([[lost!, 90n]]))).toEqual(new Map([[lost, 90n]]))
    }, eventually)

    await vi.waitFor(async () => {
      const answer = await one.reader.commit(
        new Map([
          [lost!, 60n],
          [kept!, 60n]
        ])
      )
      expect(answer).toEqual(new Map([[kept, 60n]]))
    }, eventually)
    const committed = await log.admin().committed(group)
    expect([committed.get(lost!), committed.get(kept!)]).toEqual([90n, 60n])
  })

  test('(6) a commit by a member that was evicted is refused, said to be so, and done after its next join', async () => {
    const { reader, seen } = await joined('one', starts)
    expect(await reader.commit(new Map([[0, 1n]]))).toEqual(new Map([[0, 1n]]))
    await log.admin().evict(group, seen.joins[0]?.memberId ?? '')

    await vi.waitFor(
      async () => expect(await reader.commit(new Map([[0, 5n]]))).toEqual(new Map([[0, 5n]])),
      eventually
    )
    expect((await log.admin().committed(group)).get(0)).toBe(5n)
    expect(seen.losses).toEqual([])
  })

  test('(7) a position beyond the end of an empty log is found out without any record', async () => {
    await log.append(0, lines(10))
    await log.trim(0, 10n)
    const { reader, seen } = await joined('one')
    expect(await reader.commit(new Map([[0, 4n]]))).toEqual(new Map([[0, 4n]]))

    reader.readFrom(0, 99n)
    await vi.waitFor(() => expect(seen.outsides).toEqual([[0, 99n, 10n, 10n]]), eventually)
    expect((await log.admin().committed(group)).get(0)).toBe(4n)
  })

  test('goes past the markers of transactions without a gap, and past a batch of markers alone', async () => {
    const transactions = log.transactional(`tx-${randomUUID()}`)
    await transactions.connect()
    const write = async (value: string, end: 'commit' | 'abort'): Promise<void> => {
      const transaction = await transactions.transaction()
      await transaction.send({ topic: log.names.documents, messages: [{ partition: 0, value }] })
      await transaction[end]()
    }
    const { seen } = await joined('one', starts)
    await write('a', 'commit')
    await write('b', 'abort')
    await write('c', 'commit')
    await log.append(0, lines(1))
    await transactions.disconnect()

    // The last marker may come before or after the plain record: commits end in the background.
    const values = (): readonly unknown[] =>
      (seen.records.get(0) ?? []).map(({ value }) => value && Buffer.from(value).toString())
    await vi.waitFor(() => expect(values()).toEqual(['a', 'c', 'value 0']), eventually)
    expect(seen.gaps).toEqual([])
    expect(seen.outsides).toEqual([])
  })

  test('(10) a hundred thousand records held do not hold their fetch buffers', {
    timeout: 60_000
  }, async () => {
    const value = Buffer.alloc(300, 'x')
    const records = Array.from({ length: 2_500 }, () => ({ value }))
    for (let count = 0; count < 40; count += 1) await log.append(count % 3, records)
    const { seen } = await joined('one', starts)
    await vi.waitFor(
      () => expect(all.map(p => seen.offsets(p).length).reduce((a, b) => a + b)).toBe(100_000),
      {
        timeout: 40_000,
        interval: 100
      }
    )

    // Of each thousand one is kept: uncopied, it would keep the whole fetch alive.
    for (const [partition, held] of seen.records) {
      const kept = held.filter((_, index) => index % 1_000 === 0)
      seen.records.set(partition, kept)
    }
    await log[Symbol.asyncDispose]()
    const kept = [...seen.records.values()].reduce((sum, { length }) => sum + length, 0)
    const withThem = await collected()
    seen.records.clear()
    const held = withThem - (await collected())
    // A small copy keeps the slab of Node's pool that it was cut from; a fetch is up to two megabytes.
    expect(held).toBeLessThan(kept * Buffer.poolSize + 1_000_000)
  })

  describe('ghosts', () => {
    const members: ChildProcess[] = []
    afterEach(() => {
      for (const member of members.splice(0)) member.kill('SIGKILL')
    })

    async function member(
      instance: string
    ): Promise<{ readonly child: ChildProcess; readonly memberId: string }> {
      const script = fileURLToPath(new URL('../support/kafka-member.ts', import.meta.url))
      const args = [script, inject('kafkaBrokers').join(','), log.names.documents, group, instance]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      members.push(child)
      const [line] = (await once(createInterface(child.stdout!), 'line')) as [string]
      const { memberId } = JSON.parse(line) as { memberId: string }
      return { child, memberId }
    }

    test('a killed member blocks its successor until it is evicted: then it resumes within a moment', async () => {
      const { child, memberId } = await member('one')
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
      await fill(5)

      const startedMs = performance.now()
      await log.admin().evict(group, memberId)
      const { seen } = await joined('one', starts)
      await vi.waitFor(() => expect(seen.offsets(0)).toHaveLength(5), eventually)
      // The session timeout is 10 s.
      expect(performance.now() - startedMs).toBeLessThan(6_000)
    })
  })

  test('(14) two groups with the same instances have the same layout, and both commit', async () => {
    const batch = randomUUID()
    const readers = [
      await joined('b'),
      await joined('a'),
      await joined('a', new Map(), batch),
      await joined('b', new Map(), batch)
    ]
    const [b1, a1, a2, b2] = readers.map(({ reader }) => reader)
    await vi.waitFor(() => {
      expect(a1!.assignment()).toEqual([0, 2])
      expect(b1!.assignment()).toEqual([1])
      expect(a2!.assignment()).toEqual(a1!.assignment())
      expect(b2!.assignment()).toEqual(b1!.assignment())
    }, eventually)
  })
})

/** Bytes of buffers that something still holds. */
async function collected(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  // One collection finds what is free, a later one gives back what was found: until that changes nothing any more.
  for (let last = Number.POSITIVE_INFINITY; ; ) {
    for (let times = 0; times < 3; times += 1) {
      if (typeof collect === 'function') collect()
      await setImmediate()
    }
    const now = process.memoryUsage().arrayBuffers
    if (now >= last) return now
    last = now
  }
}
