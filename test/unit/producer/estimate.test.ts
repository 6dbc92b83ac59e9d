import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@pointsman/core/runtime/clock'
import { textHash } from '@pointsman/core/runtime/identity'
import { describe, expect, test } from 'vitest'
import { readEmittedStore } from '../../../services/producer/src/emitted-store.ts'
import { estimate, type EstimateDeps } from '../../../services/producer/src/estimate.ts'
import { findMemory } from '../../../services/producer/src/find-memory.ts'
import { defaultIngestOptions, type IngestOptions } from '../../../services/producer/src/ingest-options.ts'
import type { EstimatedText, EstimateReport } from '../../../services/producer/src/ingest-report.ts'
import { ProducerUnderTest, prose } from '../../support/producer-under-test.ts'

interface Estimated {
  readonly report: EstimateReport
  readonly texts: readonly EstimatedText[]
}

interface Given {
  readonly options?: Partial<IngestOptions>
  readonly log?: EstimateDeps['log']
  readonly input?: string
  readonly signal?: AbortSignal
}

async function estimateOf(producer: ProducerUnderTest, given: Given = {}): Promise<Estimated> {
  using store = readEmittedStore(producer.state)
  const texts: EstimatedText[] = []
  const report = await estimate(
    given.input === undefined ? [producer.root] : ['-'],
    {
      store,
      extractor: producer.extractor,
      clock: systemClock,
      standardInput: chunksOf(given.input ?? ''),
      tell: event => {
        if (event.event === 'texts') texts.push(...event.texts)
      },
      log: given.log,
      notices: []
    },
    { ...defaultIngestOptions, ...given.options },
    given.signal ?? new AbortController().signal
  )
  return { report, texts }
}

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

const lines = (...records: readonly object[]): string =>
  records.map(record => JSON.stringify(record)).join('\n')

describe('an estimate', () => {
  test('counts what a run then sends, document by document and token by token', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.md', '# One\n\nshort')
    producer.write('long.txt', prose(1, 2_000))
    producer.write('bad.txt', Buffer.from([0, 1, 2]))

    const { report } = await estimateOf(producer)
    const run = await producer.run()

    const { event: _, seconds: __, distinct, ...counts } = report
    const { event: ___, seconds: ____, notices, ...sent } = run.report
    expect(notices).not.toEqual([])
    expect(counts).toEqual({ ...sent, notices: [] })
    expect(report.emitted).toBe(run.sent.length)
    expect(distinct.tokens).toBe(run.sent.reduce((sum, { tokens }) => sum + tokens, 0))
  })

  test('counts a text once, however many documents have it, and tells it once', async () => {
    await using producer = new ProducerUnderTest()
    for (const name of ['a', 'b', 'c']) producer.write(`${name}.txt`, 'the same text')
    producer.write('d.txt', 'another')

    const { report, texts } = await estimateOf(producer)

    expect(report).toMatchObject({ documents: 4, emitted: 4, distinct: { texts: 2 } })
    expect(texts.map(([hash]) => hash).sort()).toEqual(
      [textHash('the same text'), textHash('another')].sort()
    )
    expect(report.distinct.tokens).toBe(texts.reduce((sum, [, tokens]) => sum + tokens, 0))
    for (const [, , lineBytes] of texts) expect(lineBytes).toBeGreaterThan(200)
  })

  test('leaves out what was sent before, and counts what changed and what is gone', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('kept.txt', 'as it was')
    producer.write('changed.txt', 'first')
    producer.write('gone.txt', 'soon')
    await producer.run()
    producer.write('changed.txt', 'second')
    producer.remove('gone.txt')

    const { report, texts } = await estimateOf(producer)

    expect(report).toMatchObject({ documents: 2, unchanged: 1, emitted: 1, tombstones: 1 })
    expect(texts.map(([hash]) => hash)).toEqual([textHash('second')])
  })

  test('changes nothing of what is remembered, and nothing at all without a memory', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.txt', 'one')
    await producer.run()
    // What is written meanwhile stands in the journal.
    const written = () =>
      ['emitted.db', 'emitted.db-wal'].map(name => readFileSync(join(producer.state, name), 'hex'))
    const before = written()
    producer.write('a.txt', 'two')
    producer.write('b.txt', 'three')

    const twice = [await estimateOf(producer), await estimateOf(producer)]

    expect(twice.map(({ report }) => report.emitted)).toEqual([2, 2])
    expect(written()).toEqual(before)
    expect((await producer.run()).sent).toHaveLength(2)

    await using fresh = new ProducerUnderTest()
    fresh.write('a.txt', 'one')
    const elsewhere = join(fresh.folder, 'nowhere')
    using store = readEmittedStore(elsewhere)
    expect(store.isKnown(fresh.root)).toBe(false)
    expect(() => statSync(elsewhere)).toThrow('ENOENT')
  })

  test('takes everything for new when the log is another, or was made anew', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.txt', 'one')
    await producer.run()
    producer.log.append(0, 'x', Buffer.from('x'))
    await producer.run()

    const bounds = new Map([[0, { start: 0n, end: 5n }]])
    const same = await estimateOf(producer, { log: { logId: 'memory', bounds } })
    const other = await estimateOf(producer, { log: { logId: 'elsewhere', bounds } })
    const anew = await estimateOf(producer, { log: { logId: 'memory', bounds: new Map() } })

    expect(same.report).toMatchObject({ unchanged: 1, emitted: 0, notices: [] })
    expect(other.report).toMatchObject({ unchanged: 0, emitted: 1, distinct: { texts: 1 } })
    expect(anew.report).toMatchObject({ unchanged: 0, emitted: 1 })
    expect(anew.report.notices.join()).toContain('everything is sent again')
  })

  test('takes the versions of an id as a run does: a later one counts, an older one is refused', async () => {
    await using producer = new ProducerUnderTest()
    const input = lines(
      { id: 'a', text: 'one', version: 1 },
      { id: 'a', text: 'two', version: 2 },
      { id: 'a', text: 'three', version: 1 },
      { id: 'b', text: 'same', version: 1 },
      { id: 'b', text: 'same', version: 2 }
    )

    const { report } = await estimateOf(producer, { input })
    const run = await producer.run(['-'], { input })

    expect(report.emitted).toBe(run.report.emitted)
    expect(report.unchanged).toBe(run.report.unchanged)
    expect(report.rejected).toEqual(run.report.rejected)
    expect(report.rejectedTotal).toBe(1)
  })

  test('tells texts in portions that one call can ask about', async () => {
    await using producer = new ProducerUnderTest()
    const input = lines(...Array.from({ length: 2500 }, (_, i) => ({ id: `d${i}`, text: `text ${i}` })))
    const portions: number[] = []
    using store = readEmittedStore(undefined)
    await estimate(
      ['-'],
      {
        store,
        extractor: producer.extractor,
        clock: systemClock,
        standardInput: chunksOf(input),
        tell: event => {
          if (event.event === 'texts') portions.push(event.texts.length)
        },
        log: undefined,
        notices: []
      },
      defaultIngestOptions,
      new AbortController().signal
    )
    expect(portions).toEqual([1000, 1000, 500])
  })

  test('that is told to stop says what it counted so far', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.txt', 'one')
    const { report } = await estimateOf(producer, { signal: AbortSignal.abort(new Error('stop')) })
    expect(report).toMatchObject({ stopped: true, emitted: 0 })
  })

  test('names wrong paths', async () => {
    await using producer = new ProducerUnderTest()
    producer.remove('.')
    await expect(estimateOf(producer)).rejects.toMatchObject({ code: 'USAGE' })
  })
})

test('without a cluster to ask, the memory that was written last is taken', async () => {
  await using producer = new ProducerUnderTest()
  expect(findMemory(join(producer.folder, 'nowhere'))).toBeUndefined()
  await using other = new ProducerUnderTest()
  other.write('a.txt', 'one')
  await other.run()
  expect(findMemory(producer.folder)).toMatchObject({ directory: producer.state, others: 0 })
  expect(readdirSync(producer.folder)).toContain('state')
})
