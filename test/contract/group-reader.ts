import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { GroupReader } from '@pointsman/core/ports/event-log'
import type { EventLogUnderTest } from '../support/event-log-under-test.ts'
import { ascending, eventually, lines, Listener, range } from '../support/event-log-under-test.ts'

/** What every GroupReader must do. */
export function groupReaderContract(adapter: string, open: () => Promise<EventLogUnderTest>): void {
  describe(`event log contract: ${adapter}`, () => {
    const never = new AbortController().signal
    let log: EventLogUnderTest
    let group: string

    beforeEach(async () => {
      log = await open()
      group = randomUUID()
    })
    afterEach(() => log[Symbol.asyncDispose]())

    async function joined(
      instance = 'one',
      positions: ReadonlyMap<number, bigint> = new Map(),
      take: (partition: number) => boolean = () => true
    ): Promise<{ readonly reader: GroupReader; readonly seen: Listener }> {
      const reader = log.reader(group, instance)
      const seen = new Listener(reader, positions)
      seen.take = take
      await reader.start(seen, never)
      return { reader, seen }
    }

    describe('group reader', () => {
      const starts = new Map([
        [0, 0n],
        [1, 0n],
        [2, 0n]
      ])

      test('delivers nothing of a partition before it is told where to read', async () => {
        await log.append(0, lines(5))
        await log.append(1, lines(5))
        const { reader, seen } = await joined()

        expect([...reader.holds(0)]).toEqual(['unpositioned'])
        reader.readFrom(1, 2n)

        await vi.waitFor(() => expect(seen.offsets(1)).toEqual(range(2, 5)), eventually)
        expect(seen.offsets(0)).toEqual([])
        expect([...reader.holds(1)]).toEqual([])
      })

      test('delivers records in order, whole, and with the position after them', async () => {
        await log.append(0, [
          { key: 'a', value: Buffer.from('x') },
          { key: 'b' },
          { value: Buffer.from('z') }
        ])
        const { seen } = await joined('one', starts)

        await vi.waitFor(() => expect(seen.offsets(0)).toEqual([0n, 1n, 2n]), eventually)
        const records = seen.records.get(0) ?? []
        expect(records.map(({ key }) => key)).toEqual(['a', 'b', undefined])
        expect(records.map(({ value }) => value && Buffer.from(value).toString())).toEqual([
          'x',
          undefined,
          'z'
        ])
        expect(records.every(({ timestampMs }) => Math.abs(timestampMs - Date.now()) < 60_000)).toBe(true)
        expect(seen.positions.get(0)).toBe(3n)
      })

      test('fetches a refused batch again', async () => {
        await log.append(0, lines(3))
        let refusals = 2
        const { seen } = await joined('one', starts, () => {
          refusals -= 1
          return refusals < 0
        })

        await vi.waitFor(() => expect(seen.offsets(0)).toEqual([0n, 1n, 2n]), eventually)
      })

      test('keeps a partition held while one reason is left, and its neighbours running', async () => {
        const { reader, seen } = await joined('one', starts)
        reader.hold(0, 'queue-full')
        reader.hold(0, 'other-lane')
        await log.append(0, lines(3))
        await log.append(1, lines(3))
        await vi.waitFor(() => expect(seen.offsets(1)).toHaveLength(3), eventually)

        reader.lift(0, 'queue-full')
        await log.append(1, lines(3))
        await vi.waitFor(() => expect(seen.offsets(1)).toHaveLength(6), eventually)
        expect(seen.offsets(0)).toEqual([])
        expect([...reader.holds(0)]).toEqual(['other-lane'])

        reader.lift(0, 'other-lane')
        await vi.waitFor(() => expect(seen.offsets(0)).toEqual([0n, 1n, 2n]), eventually)
      })

      test('reads from a new position when told so, back or forth', async () => {
        await log.append(0, lines(10))
        const { reader, seen } = await joined('one', starts)
        await vi.waitFor(() => expect(seen.offsets(0)).toHaveLength(10), eventually)

        reader.readFrom(0, 7n)
        await vi.waitFor(() => expect(seen.offsets(0).slice(10)).toEqual([7n, 8n, 9n]), eventually)
      })

      test('stops a partition whose position lies outside the log, says so, and leaves what is committed', async () => {
        await log.append(0, lines(10))
        const { reader, seen } = await joined()
        reader.readFrom(1, 0n)
        expect(await reader.commit(new Map([[0, 5n]]))).toEqual(new Map([[0, 5n]]))
        await log.trim(0, 4n)

        reader.readFrom(0, 2n)
        await vi.waitFor(() => expect(seen.outsides).toEqual([[0, 2n, 4n, 10n]]), eventually)
        expect([...reader.holds(0)]).toEqual(['unpositioned'])
        reader.readFrom(0, 99n)
        await vi.waitFor(() => expect(seen.outsides[1]).toEqual([0, 99n, 4n, 10n]), eventually)
        expect(seen.offsets(0)).toEqual([])
        expect((await log.admin().committed(group)).get(0)).toBe(5n)

        reader.readFrom(0, 4n)
        await vi.waitFor(() => expect(seen.offsets(0)).toEqual(range(4, 10)), eventually)
        expect(seen.outsides).toHaveLength(2)
      })

      test('hands partitions to a new member without reading again what a member keeps', async () => {
        for (const partition of [0, 1, 2]) await log.append(partition, lines(20))
        const one = await joined('one', starts)
        await vi.waitFor(
          () => expect([0, 1, 2].map(p => one.seen.offsets(p).length)).toEqual([20, 20, 20]),
          eventually
        )

        const two = await joined('two')
        await vi.waitFor(() => {
          const all = [...one.reader.assignment(), ...two.reader.assignment()]
          expect(all.sort(ascending)).toEqual([0, 1, 2])
        }, eventually)
        for (const partition of two.reader.assignment()) {
          expect([...two.reader.holds(partition)]).toEqual(['unpositioned'])
          two.reader.readFrom(partition, 18n)
        }
        for (const partition of [0, 1, 2]) await log.append(partition, lines(2))

        for (const partition of one.reader.assignment()) {
          await vi.waitFor(() => expect(one.seen.offsets(partition)).toEqual(range(0, 22)), eventually)
        }
        for (const partition of two.reader.assignment()) {
          await vi.waitFor(() => expect(two.seen.offsets(partition)).toEqual(range(18, 22)), eventually)
          expect(one.seen.offsets(partition)).toEqual(range(0, 20))
        }
      })

      test('gives all partitions to the members left when one leaves', async () => {
        const one = await joined('one')
        const two = await joined('two')
        await vi.waitFor(() => expect(one.reader.assignment().length).toBeLessThan(3), eventually)

        await two.reader[Symbol.asyncDispose]()
        await vi.waitFor(
          () => expect([...one.reader.assignment()].sort(ascending)).toEqual([0, 1, 2]),
          eventually
        )
        expect((await log.admin().group(group)).members).toHaveLength(1)
      })

      test('keeps the reasons to hold over a join', async () => {
        await log.append(0, lines(3))
        const reader = log.reader(group, 'one')
        const seen = new Listener(reader, starts)
        reader.hold(0, 'gate')
        await reader.start(seen, never)

        expect([...reader.holds(0)]).toEqual(['gate'])
        reader.lift(0, 'gate')
        await vi.waitFor(() => expect(seen.offsets(0)).toHaveLength(3), eventually)
      })

      test('contains a listener that throws at a join: its partitions stay held', async () => {
        await log.append(0, lines(3))
        const reader = log.reader(group, 'one')
        const seen = new Listener(reader, starts)
        seen.onJoin = () => {
          throw new Error('planted')
        }
        await reader.start(seen, never)

        expect([...reader.holds(0)]).toEqual(['unpositioned'])
        reader.readFrom(0, 0n)
        await vi.waitFor(() => expect(seen.offsets(0)).toEqual([0n, 1n, 2n]), eventually)
        expect(seen.losses).toEqual([])
      })

      test('contains a listener that throws at a batch, and offers it again', async () => {
        await log.append(0, lines(3))
        await log.append(1, lines(3))
        let throws = 1
        const { seen } = await joined('one', starts, partition => {
          if (partition !== 0) return true
          throws -= 1
          if (throws >= 0) throw new Error('planted')
          return true
        })

        await vi.waitFor(() => expect(seen.offsets(0)).toEqual([0n, 1n, 2n]), eventually)
        expect(seen.offsets(1)).toEqual([0n, 1n, 2n])
        expect(seen.losses).toEqual([])
      })

      test('commits what is assigned, never lower, and answers what stands', async () => {
        const { reader } = await joined()
        await log.append(0, lines(9))

        expect(
          await reader.commit(
            new Map([
              [0, 4n],
              [77, 1n]
            ])
          )
        ).toEqual(new Map([[0, 4n]]))
        expect(await reader.commit(new Map([[0, 3n]]))).toEqual(new Map([[0, 4n]]))
        expect(await reader.commit(new Map([[0, 6n]]))).toEqual(new Map([[0, 6n]]))
        const committed = await log.admin().committed(group)
        expect(committed.get(0)).toBe(6n)
        expect(committed.get(1)).toBe(undefined)
      })

      test('commits nothing after it was disposed of', async () => {
        const { reader } = await joined()
        await reader[Symbol.asyncDispose]()

        expect(await reader.commit(new Map([[0, 4n]]))).toEqual(new Map())
        expect(reader.assignment()).toEqual([])
      })

      test('shows health: silent for no longer than a moment while it runs', async () => {
        const { reader } = await joined()
        await vi.waitFor(() => expect(reader.silentMs()).toBeLessThan(2_000), eventually)
      })

      test('joins again when it was evicted alive', async () => {
        await log.append(0, lines(3))
        const { seen } = await joined('one', starts)
        const first = seen.joins[0]?.memberId ?? ''
        await log.admin().evict(group, first)

        await vi.waitFor(() => expect(seen.joins.length).toBeGreaterThan(1), eventually)
        await log.append(0, lines(1))
        await vi.waitFor(() => expect(seen.offsets(0)).toEqual(range(0, 4)), eventually)
      })
    })
  })
}
