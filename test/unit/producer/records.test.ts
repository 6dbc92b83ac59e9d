import type { Document } from '@pointsman/core/domain/document'
import { describe, expect, test } from 'vitest'
import { ProducerUnderTest, recordingWriter } from '../../support/producer-under-test.ts'

describe('JSON lines', () => {
  const line = (value: unknown): string => `${JSON.stringify(value)}\n`

  test('a line is a document under its own id, with its own version and metadata', async () => {
    await using producer = new ProducerUnderTest()
    const input = line({ id: 'doc-1', text: 'hello', version: 7, title: 'Hi', metadata: { lang: 'en' } })

    const { sent } = await producer.run(['-'], { input })

    expect(sent).toMatchObject([
      { docId: 'doc-1', sourceId: 'doc-1', version: 7, title: 'Hi', text: 'hello', metadata: '{"lang":"en"}' }
    ])
  })

  test('only changed lines of a file are sent, and lines that vanished are deleted', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('docs.jsonl', [1, 2, 3].map(i => line({ id: `d${i}`, text: `text ${i}` })).join(''))
    await producer.run()
    producer.write('docs.jsonl', line({ id: 'd1', text: 'text 1' }) + line({ id: 'd2', text: 'new' }))

    const { sent } = await producer.run()

    expect(sent).toMatchObject([
      { docId: 'd2', text: 'new', deleted: false },
      { docId: 'd3', deleted: true }
    ])
  })

  test('nothing is taken for gone when a line could not be read', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('docs.jsonl', line({ id: 'd1', text: 'one' }) + line({ id: 'd2', text: 'two' }))
    await producer.run()
    producer.write('docs.jsonl', `${line({ id: 'd1', text: 'one' })}{"id":"d2","text":\n`)

    const { sent, report } = await producer.run()

    expect(sent).toEqual([])
    expect(report).toMatchObject({
      kept: 1,
      rejected: [{ path: 'docs.jsonl', reason: 'line 2: not valid JSON' }]
    })
  })

  test('a deletion is passed on once, also of what was never sent', async () => {
    await using producer = new ProducerUnderTest()
    const input = line({ id: 'd1', deleted: true })

    const first = await producer.run(['-'], { input })
    const second = await producer.run(['-'], { input })

    expect(first.sent).toMatchObject([{ docId: 'd1', deleted: true }])
    expect(second.sent).toEqual([])
  })

  test('what came from a file can be changed and deleted through standard input', async () => {
    await using producer = new ProducerUnderTest()
    const file = producer.write('docs.jsonl', line({ id: 'd1', text: 'one', version: 1 }))
    await producer.run()

    const changed = await producer.run(['-'], { input: line({ id: 'd1', text: 'two', version: 2 }) })
    const deleted = await producer.run(['-'], { input: line({ id: 'd1', deleted: true, version: 3 }) })
    const old = await producer.run([file])

    expect(changed.sent).toMatchObject([{ docId: 'd1', version: 2 }])
    expect(deleted.sent).toMatchObject([{ docId: 'd1', version: 3, deleted: true }])
    expect(old.sent).toEqual([])
    expect(old.report.rejected[0]!.reason).toContain('older than 3')
  })

  test('an id that comes twice in one run is named, unless its version rises', async () => {
    await using producer = new ProducerUnderTest()
    const input = [
      line({ id: 'a', text: 'one' }),
      line({ id: 'a', text: 'two' }),
      line({ id: 'b', text: 'one', version: 1 }),
      line({ id: 'b', text: 'two', version: 2 })
    ].join('')

    const { sent, report } = await producer.run(['-'], { input })

    expect(sent.map(({ docId, text }) => `${docId} ${text}`)).toEqual(['a one', 'b one', 'b two'])
    expect(report.rejected).toEqual([{ path: '-', id: 'a', reason: 'the id was met before in this run' }])
  })

  test('lines of a pipe that stays open are sent without waiting for the next', async () => {
    await using producer = new ProducerUnderTest()
    const sent: Document[] = []
    const stop = new AbortController()
    const arrived = Promise.withResolvers<void>()
    async function* open(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(line({ id: 'd1', text: 'now' }))
      await Promise.withResolvers<void>().promise
    }
    const record = recordingWriter(sent)
    const writer = {
      ...record,
      write: async (...args: Parameters<typeof record.write>) => {
        await record.write(...args)
        arrived.resolve()
      }
    }
    const running = producer.run(['-'], { input: open(), deps: { writer }, signal: stop.signal })

    await arrived.promise
    stop.abort()

    expect(sent).toMatchObject([{ docId: 'd1' }])
    expect((await running).report.stopped).toBe(true)
  })
})

describe('CSV', () => {
  test('columns id, text, title and version are the document, the rest is metadata', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('t.csv', '\ufeffid,text,title,version,lang\n1,"hello, ""you""",Hi,5,en\n2,there,,,de\n')

    const { sent } = await producer.run()

    expect(sent).toMatchObject([
      { docId: '1', text: 'hello, "you"', title: 'Hi', version: 5, metadata: '{"lang":"en"}' },
      { docId: '2', text: 'there', title: '', metadata: '{"lang":"de"}' }
    ])
  })

  test('a table without a text column is named with the columns it has; others can be chosen', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('t.csv', 'key,body\n1,hello\n')

    const refused = await producer.run()
    const chosen = await producer.run(undefined, { options: { csvIdColumn: 'key', csvTextColumn: 'body' } })

    expect(refused.report.rejected[0]!.reason).toBe(
      'no column "id" (--csv-id-column names another), no column "text" (--csv-text-column names another); it has: key, body'
    )
    expect(chosen.sent).toMatchObject([{ docId: '1', text: 'hello' }])
  })
})
