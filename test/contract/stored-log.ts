import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EventLogUnderTest } from '../support/event-log-under-test.ts'
import { ascending, lines, Listener, range } from '../support/event-log-under-test.ts'

/** What every RangeReader and LogAdmin must do. */
export function storedLogContract(adapter: string, open: () => Promise<EventLogUnderTest>): void {
  describe(`event log contract: ${adapter}`, () => {
    const never = new AbortController().signal
    let log: EventLogUnderTest
    let group: string

    beforeEach(async () => {
      log = await open()
      group = randomUUID()
    })
    afterEach(() => log[Symbol.asyncDispose]())

    describe('range reader', () => {
      test('reads known offsets again and names what is missing', async () => {
        await log.append(2, lines(10))
        await log.trim(2, 3n)

        const { records, missing } = await log.ranges().read(2, [1n, 3n, 8n, 9n, 10n, 40n], never)
        expect(records.map(({ offset }) => offset)).toEqual([3n, 8n, 9n])
        expect(records.map(({ key }) => key)).toEqual(['key-3', 'key-8', 'key-9'])
        expect(missing).toEqual(
          new Map([
            [1n, 'expired'],
            [10n, 'beyond-end'],
            [40n, 'beyond-end']
          ])
        )
      })

      test('answers nothing for nothing', async () => {
        expect(await log.ranges().read(0, [], never)).toEqual({ records: [], missing: new Map() })
      })

      test('scans a range in order, from what is left of it to the end of the log', async () => {
        await log.append(0, lines(1_200))
        await log.trim(0, 100n)

        const scanned: bigint[] = []
        for await (const records of log.ranges().scan(0, 50n, 1_100n, never)) {
          scanned.push(...records.map(({ offset }) => offset))
        }
        expect(scanned).toEqual(range(100, 1_100))

        const tail: bigint[] = []
        for await (const records of log.ranges().scan(0, 1_190n, 9_999n, never)) {
          tail.push(...records.map(({ offset }) => offset))
        }
        expect(tail).toEqual(range(1_190, 1_200))
      })

      test('obeys its signal', async () => {
        await log.append(0, lines(1))
        await expect(log.ranges().read(0, [0n], AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
      })
    })

    describe('admin', () => {
      test('prepares twice as well as once, and says how long records are kept', async () => {
        const admin = log.admin()
        await admin.prepare(3, never)
        await admin.prepare(3, never)

        expect(await admin.retentionMs()).toBe(7 * 24 * 3_600_000)
        expect([...(await admin.bounds()).keys()].sort(ascending)).toEqual([0, 1, 2])
      })

      test('shows the bounds of each partition', async () => {
        await log.append(1, lines(5))
        await log.trim(1, 2n)

        const bounds = await log.admin().bounds()
        expect(bounds.get(0)).toEqual({ start: 0n, end: 0n })
        expect(bounds.get(1)).toEqual({ start: 2n, end: 5n })
      })

      test('shows a group and its members', async () => {
        const admin = log.admin()
        expect((await admin.group(group)).members).toEqual([])
        expect([...(await admin.committed(group)).values()]).toEqual([undefined, undefined, undefined])
        const reader = log.reader(group, 'one')
        const seen = new Listener(reader)
        await reader.start(seen, never)

        const { state, members } = await admin.group(group)
        expect(state).toBe('Stable')
        expect(members.map(({ memberId }) => memberId)).toEqual([seen.joins[0]?.memberId])
        expect([...(members[0]?.partitions ?? [])].sort(ascending)).toEqual([0, 1, 2])
      })

      test('evicts harmlessly a member that nobody knows', async () => {
        await expect(log.admin().evict(group, 'nobody')).resolves.toBe(undefined)
        await expect(log.admin().evict(randomUUID(), 'nobody')).resolves.toBe(undefined)
      })
    })
  })
}
