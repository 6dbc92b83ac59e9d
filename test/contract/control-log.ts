import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ControlLog, ControlRecord, StoredControlRecord } from '@pointsman/core/ports/control-log'
import { anIntent, anOpened, anOutcome, hostileText } from '../support/control-records.ts'
import { eventually } from '../support/event-log-under-test.ts'

/** One log of its own, empty; disposes of all that was opened through it. */
export interface ControlLogUnderTest extends AsyncDisposable {
  /** As one more process would. */
  open(): ControlLog
  /** As somebody else might write it. */
  appendText(text: string): Promise<void>
  /** Removes records below `start`, as retention does. */
  trim(start: bigint): Promise<void>
  /** Deletes the log and makes an empty one. */
  makeAnew(): Promise<void>
}

/** What every ControlLog must do. */
export function controlLogContract(adapter: string, openLog: () => Promise<ControlLogUnderTest>): void {
  describe(`control log contract: ${adapter}`, () => {
    const never = new AbortController().signal
    const cut = (numbers: RegExp) => ({
      code: 'CONTROL_LOG_CUT',
      message: expect.stringMatching(numbers)
    })
    let under: ControlLogUnderTest
    let log: ControlLog

    beforeEach(async () => {
      under = await openLog()
      log = under.open()
    })
    afterEach(() => under[Symbol.asyncDispose]())

    async function append(...records: readonly ControlRecord[]): Promise<void> {
      for (const record of records) await log.append(record, never)
    }

    test('an empty log is read from its beginning, and is cut for whoever knows more of it', async () => {
      expect(await log.read(0n, never)).toEqual([])
      await expect(log.read(1n, never)).rejects.toMatchObject(cut(/\b1\b.* 0 now/))
    })

    test('records stand in the order of their appends, from offset 0 on, without holes', async () => {
      const records = [anOpened(), anIntent('a'), anOutcome('a'), anIntent('b', { expectedEpoch: 2 })]
      await append(...records)
      expect(await log.read(0n, never)).toEqual(stored(0, records))
    })

    test('it is read on from any place, and at its end there is nothing', async () => {
      const records = [anOpened(), anIntent('a'), anOutcome('a')]
      await append(...records)
      expect(await log.read(1n, never)).toEqual(stored(1, records.slice(1)))
      expect(await log.read(3n, never)).toEqual([])
      await expect(log.read(4n, never)).rejects.toMatchObject(cut(/\b4\b.* 3 now/))

      await append(anIntent('b'))
      expect(await log.read(3n, never)).toEqual(stored(3, [anIntent('b')]))
    })

    test('every field comes back as it was given, whatever people wrote', async () => {
      const many = Array.from({ length: 1_000 }, (_, partition) => partition)
      const records: ControlRecord[] = [
        anOpened({ ledgerId: hostileText, lane: 'batch' }),
        anIntent('all', {
          ledgerId: hostileText,
          actor: hostileText,
          reason: hostileText,
          share: 0.1 + 0.2,
          expectedEpoch: Number.MAX_SAFE_INTEGER,
          lanes: new Map(many.map(partition => [partition, 'realtime'] as const)),
          before: new Map(many.map(partition => [partition, partition % 2 ? 'batch' : 'realtime'] as const)),
          target: 'realtime',
          defaultLane: 'realtime'
        }),
        anOutcome('all', {
          because: hostileText,
          actor: hostileText,
          frontiers: new Map(many.map(partition => [partition, 2n ** 53n + BigInt(partition)]))
        }),
        anIntent(hostileText, { strategy: 'drain', lanes: new Map(), before: new Map(), reason: '' }),
        anOutcome(hostileText, { result: 'aborted', frontiers: new Map() }),
        anIntent('c', { strategy: 'force' }),
        anOutcome('c', { result: 'refused', released: 0, cancelled: 3 })
      ]
      await append(...records)
      expect(await log.read(0n, never)).toEqual(stored(0, records))
    })

    test('what would not come back is refused, and nothing is written', async () => {
      for (const record of [
        anIntent('a', { atMs: Number.NaN }),
        anIntent('a', { share: 0 }),
        anIntent('a', { share: 1.5 }),
        anIntent('a', { lanes: new Map([[0.5, 'batch']]) }),
        anOutcome('a', { tookMs: Number.POSITIVE_INFINITY }),
        anOutcome('a', { frontiers: new Map([[0, -1n]]) })
      ]) {
        await expect(log.append(record, never)).rejects.toThrow(RangeError)
      }
      expect(await log.read(0n, never)).toEqual([])
    })

    test('what this version cannot read has its offset and nothing else; fields of a later one are left out', async () => {
      const opened = { format: 1, kind: 'opened', ledgerId: 'ledger-1', lane: 'realtime', atMs: 1 }
      const unreadable = [
        '',
        'null',
        '[]',
        '{"format":1',
        '{}',
        '\u0000',
        JSON.stringify({ ...opened, format: 2 }),
        JSON.stringify({ ...opened, format: '1' }),
        JSON.stringify({ ...opened, kind: 'closed' }),
        JSON.stringify({ ...opened, lane: 'express' }),
        JSON.stringify({ ...opened, atMs: null }),
        JSON.stringify({ ...opened, ledgerId: undefined }),
        `${'['.repeat(100_000)}${']'.repeat(100_000)}`
      ]
      for (const text of unreadable) await under.appendText(text)
      await under.appendText(
        '{"__proto__":{"lane":"batch"},"constructor":1,"new":{},' + JSON.stringify(opened).slice(1)
      )
      await append(anIntent('a'))

      const records: readonly (ControlRecord | undefined)[] = [
        ...unreadable.map(() => undefined),
        anOpened({ atMs: 1 }),
        anIntent('a')
      ]
      expect(await log.read(0n, never)).toEqual(stored(0, records))
    })

    test('two writers at once: each sees one and the same order, with its own in its order', async () => {
      const logs = [log, under.open()] as const
      const ids = (writer: number) => Array.from({ length: 15 }, (_, index) => `${writer}-${index}`)
      await Promise.all(
        logs.map(async (each, writer) => {
          for (const id of ids(writer)) await each.append(anIntent(id), never)
        })
      )

      const [seen, same] = await Promise.all(logs.map(each => each.read(0n, never)))
      expect(same).toEqual(seen)
      expect(seen?.map(({ offset }) => Number(offset))).toEqual(Array.from({ length: 30 }, (_, at) => at))
      for (const writer of [0, 1]) {
        expect(switchIds(seen ?? []).filter(id => id.startsWith(`${writer}-`))).toEqual(ids(writer))
      }
    })

    test('appends without waiting are written in the order of the calls', async () => {
      const ids = Array.from({ length: 20 }, (_, index) => `s-${index}`)
      await Promise.all(ids.map(id => log.append(anIntent(id), never)))
      expect(switchIds(await log.read(0n, never))).toEqual(ids)
    })

    test('while one appends another reads on, without gap or repetition; what was acknowledged is seen', async () => {
      const reader = under.open()
      const ids = Array.from({ length: 40 }, (_, index) => `s-${index}`)
      let acknowledged = 0
      const writing = (async () => {
        for (const id of ids) {
          await log.append(anIntent(id), never)
          acknowledged += 1
        }
      })()

      const seen: StoredControlRecord[] = []
      while (seen.length < ids.length) {
        const before = acknowledged
        seen.push(...(await reader.read(BigInt(seen.length), never)))
        expect(seen.length).toBeGreaterThanOrEqual(before)
      }
      await writing
      expect(seen).toEqual(
        stored(
          0,
          ids.map(id => anIntent(id))
        )
      )
    })

    test('records that are gone are no reason to go on with the rest', async () => {
      await append(anOpened(), anIntent('a'), anOutcome('a'))
      await under.trim(2n)
      await expect(log.read(0n, never)).rejects.toMatchObject(cut(/\b0\b.* begins at 2\b.*restore/))
      await expect(log.read(1n, never)).rejects.toMatchObject(cut(/\b1\b.* begins at 2\b/))
      expect(await log.read(2n, never)).toEqual(stored(2, [anOutcome('a')]))
    })

    test('a log that was made anew is cut for whoever knew the old one', async () => {
      await append(anOpened(), anIntent('a'), anOutcome('a'))
      expect(await log.read(3n, never)).toEqual([])
      await under.makeAnew()
      // Brokers and clients need a moment to learn of the new topic.
      await vi.waitFor(
        () => expect(log.read(3n, never)).rejects.toMatchObject(cut(/\b3\b.* ends at 0 now.*restore/)),
        eventually
      )
      expect(await log.read(0n, never)).toEqual([])
    })

    test('an aborted call does nothing', async () => {
      const aborted = AbortSignal.abort(new Error('stop'))
      await expect(log.append(anIntent('a'), aborted)).rejects.toThrow('stop')
      await expect(log.read(0n, aborted)).rejects.toThrow('stop')
      await append(anIntent('b'))
      expect(switchIds(await log.read(0n, never))).toEqual(['b'])
    })

    test('who gives up waiting disturbs nobody else', async () => {
      await append(anOpened())
      const stop = new AbortController()
      const impatient = log.read(0n, stop.signal)
      const patient = Promise.all([log.read(0n, never), log.read(0n, never)])
      stop.abort(new Error('enough'))
      const answer = await impatient.catch((error: unknown) => error)
      expect([new Error('enough'), stored(0, [anOpened()])]).toContainEqual(answer)
      expect(await patient).toEqual([stored(0, [anOpened()]), stored(0, [anOpened()])])
    })
  })
}

export interface ControlLogWithOutages {
  readonly log: ControlLog
  /** Nobody answers from here on. */
  readonly beginOutage: () => Promise<void>
  readonly endOutage: () => Promise<void>
}

/** How every ControlLog bears an outage. */
export function controlLogOutageContract(adapter: string, open: () => Promise<ControlLogWithOutages>): void {
  test(`control log contract: ${adapter}: an outage fails every call and loses nothing that was acknowledged`, async () => {
    const never = new AbortController().signal
    const { log, beginOutage, endOutage } = await open()
    await log.append(anIntent('before'), never)
    await beginOutage()
    const failed = { code: 'LOG_UNAVAILABLE' }
    await Promise.all([
      expect(log.read(0n, never)).rejects.toMatchObject(failed),
      expect(log.append(anIntent('meanwhile'), never)).rejects.toMatchObject(failed)
    ])

    await endOutage()
    await vi.waitFor(() => log.append(anIntent('after'), never), eventually)
    const ids = new Set(switchIds(await log.read(0n, never)))
    // The append that failed may have been written.
    ids.delete('meanwhile')
    expect([...ids]).toEqual(['before', 'after'])
  }, 120_000)
}

/** Records as `read` gives them, from offset `first` on. */
export function stored(
  first: number,
  records: readonly (ControlRecord | undefined)[]
): readonly StoredControlRecord[] {
  return records.map((record, index) => ({ offset: BigInt(first + index), record }))
}

export function switchIds(records: readonly StoredControlRecord[]): readonly string[] {
  return records.flatMap(({ record }) => (record?.kind === 'intent' ? [record.switchId] : []))
}
