import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { LogRecord } from '@pointsman/core/ports/event-log'
import { textHash } from '@pointsman/core/runtime/identity'
import type { EventLogUnderTest } from '../support/event-log-under-test.ts'
import { aDocument, aRecord } from '../support/event-log-under-test.ts'

/** What every DocumentCodec, DocumentWriter and DeadLetters must do. */
export function loggedDocumentsContract(adapter: string, open: () => Promise<EventLogUnderTest>): void {
  describe(`event log contract: ${adapter}`, () => {
    const never = new AbortController().signal
    let log: EventLogUnderTest

    beforeEach(async () => {
      log = await open()
    })
    afterEach(() => log[Symbol.asyncDispose]())

    describe('documents', () => {
      async function stored(): Promise<readonly LogRecord[]> {
        const records: LogRecord[] = []
        for (const [partition, { start, end }] of await log.admin().bounds()) {
          for await (const batch of log.ranges().scan(partition, start, end, never)) records.push(...batch)
        }
        return records
      }

      test('come back from the log as they were written', async () => {
        const codec = log.codec()
        await codec.prepare(never)
        const written = [
          aDocument(),
          aDocument({ docId: 'a', version: Number.MAX_SAFE_INTEGER - 1, metadata: '{}', title: '' }),
          aDocument({ docId: 'b', text: '', deleted: true, tokens: 0 })
        ]
        await log.writer(codec).write(written, never)

        const decoded = await Promise.all((await stored()).map(record => codec.decode(record)))
        const documents = decoded.flatMap(each => (each.kind === 'document' ? [each.document] : []))
        expect(new Map(documents.map(each => [each.docId, each]))).toEqual(
          new Map(written.map(each => [each.docId, each]))
        )
      })

      test('of one docId lie in one partition, in the order they were written', async () => {
        const codec = log.codec()
        await codec.prepare(never)
        const writer = log.writer(codec)
        await writer.write(
          [1, 2, 3].map(version => aDocument({ version })),
          never
        )
        await writer.write(
          [4, 5].map(version => aDocument({ version })),
          never
        )

        const records = await stored()
        expect(new Set(records.map(({ partition }) => partition)).size).toBe(1)
        expect(new Set(records.map(({ key }) => key))).toEqual(new Set(['guide.md#1']))
        const decoded = await Promise.all(records.map(record => codec.decode(record)))
        expect(decoded.map(each => each.kind === 'document' && each.document.version)).toEqual([
          1, 2, 3, 4, 5
        ])
      })

      test('need no schema for a null value: it is a tombstone as new as the record', async () => {
        const codec = log.codec()
        await codec.prepare(never)
        const decoded = await codec.decode(aRecord({ key: 'gone.md', value: undefined, timestampMs: 4_711 }))

        expect(decoded).toMatchObject({
          kind: 'document',
          document: { docId: 'gone.md', version: 4_711, deleted: true, text: '', textHash: textHash('') }
        })
      })

      test.each([
        ['empty', new Uint8Array()],
        ['text that nobody encoded', new TextEncoder().encode('hello, this is not a document')]
      ])('that are %s are unreadable', async (_, value) => {
        const codec = log.codec()
        await codec.prepare(never)
        expect(await codec.decode(aRecord({ value }))).toMatchObject({ kind: 'unreadable' })
      })

      test('cut short, or with bytes too many, are unreadable', async () => {
        const codec = log.codec()
        await codec.prepare(never)
        const value = await codec.encode(aDocument())

        expect(await codec.decode(aRecord({ value: value.slice(0, 40) }))).toMatchObject({
          kind: 'unreadable'
        })
        const long = new Uint8Array(value.length + 3)
        long.set(value)
        expect(await codec.decode(aRecord({ value: long }))).toMatchObject({ kind: 'unreadable' })
      })

      test('under a key that is not their docId are unreadable', async () => {
        const codec = log.codec()
        await codec.prepare(never)
        const value = await codec.encode(aDocument())

        expect(await codec.decode(aRecord({ key: 'other', value }))).toMatchObject({ kind: 'unreadable' })
        expect(await codec.decode(aRecord({ key: 'guide.md#1', value }))).toMatchObject({ kind: 'document' })
      })
    })

    describe('dead letters', () => {
      const letter = {
        partition: 1,
        offset: 5n,
        key: 'a',
        value: Buffer.from('raw bytes'),
        reason: 'too long',
        attempts: 3,
        atMs: 1_753_000_000_000
      }

      test('are listed with all they tell, the newest writing of each, oldest first', async () => {
        const letters = log.deadLetters()
        await letters.write([letter, { ...letter, offset: 6n, key: undefined, value: undefined }], never)
        await letters.write([{ ...letter, attempts: 4, reason: 'still too long – 長' }], never)

        const listed = await letters.list(10, never)
        expect(
          listed.map(({ partition, offset, key, value, reason, attempts, atMs }) => ({
            partition,
            offset,
            key,
            reason,
            attempts,
            atMs,
            value: value && Buffer.from(value)
          }))
        ).toEqual([
          { ...letter, offset: 6n, key: undefined, value: undefined },
          { ...letter, attempts: 4, reason: 'still too long – 長' }
        ])
        expect(await letters.list(1, never)).toHaveLength(1)
      })

      test('are replayed unchanged to the documents', async () => {
        const letters = log.deadLetters()
        await letters.write([letter, { ...letter, offset: 6n, key: 'b', value: undefined }], never)
        const ids = (await letters.list(10, never)).map(({ id }) => id)

        expect(await letters.replay([...ids, '0-999999'], never)).toBe(2)
        const replayed: LogRecord[] = []
        for (const [partition, { start, end }] of await log.admin().bounds()) {
          for await (const batch of log.ranges().scan(partition, start, end, never)) replayed.push(...batch)
        }
        const byKey = new Map(replayed.map(({ key, value }) => [key, value && Buffer.from(value).toString()]))
        expect(byKey).toEqual(
          new Map([
            ['a', 'raw bytes'],
            ['b', undefined]
          ])
        )
        expect(await letters.replay(['nonsense'], never)).toBe(0)
      })

      test('are not all that can be sent again: records of documents are, unchanged', async () => {
        const codec = log.codec()
        await codec.prepare(never)
        await log.writer(codec).write([aDocument({ docId: 'a' })], never)
        const stored = async (): Promise<LogRecord[]> => {
          const records: LogRecord[] = []
          for (const [partition, { start, end }] of await log.admin().bounds()) {
            for await (const batch of log.ranges().scan(partition, start, end, never)) records.push(...batch)
          }
          return records
        }
        const [written] = await stored()
        if (written === undefined) return expect.unreachable('nothing was written')
        const tombstone = { ...written, key: 'b', value: undefined, timestampMs: 1_700_000_000_123 }
        await log.deadLetters().repeat([written, tombstone], never)

        const again = await stored()
        const [first, second] = again.filter(({ key }) => key === 'a')
        expect(second).toMatchObject({ key: 'a', partition: first?.partition, value: first?.value })
        expect(second?.offset).toBe((first?.offset ?? 0n) + 1n)
        const deleted = again.find(({ key }) => key === 'b')
        expect(deleted).toMatchObject({ value: undefined, timestampMs: tombstone.timestampMs })
      })

      test('are none at first', async () => {
        expect(await log.deadLetters().list(10, never)).toEqual([])
      })
    })
  })
}
