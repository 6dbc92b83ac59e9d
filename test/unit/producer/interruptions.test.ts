import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { MemoryLogAdmin } from '@pointsman/core/adapters/memory/event-log-admin'
import type { Document } from '@pointsman/core/domain/document'
import { Failure } from '@pointsman/core/domain/failure'
import { describe, expect, test } from 'vitest'
import { ProducerUnderTest, prose } from '../../support/producer-under-test.ts'

const idsOf = (documents: readonly Document[]): string[] => documents.map(({ docId }) => docId).sort()

describe('interruptions', () => {
  test('what was sent but not acknowledged is sent again, the same', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.md', 'one')
    producer.write('b.md', prose(6, 1_000))
    const attempted: Document[] = []
    const dying = { write: async (documents: readonly Document[]) => died(attempted, documents) }
    const writer = { ...dying, [Symbol.asyncDispose]: () => Promise.resolve() }
    await expect(producer.run(undefined, { deps: { writer } })).rejects.toThrow('killed')
    producer.reopenStore()

    const { sent } = await producer.run()

    const byId = (documents: readonly Document[]) =>
      documents.toSorted((a, b) => a.docId.localeCompare(b.docId))
    expect(byId(sent)).toEqual(byId(attempted))
  })

  test('chunks of an unacknowledged version are deleted when the text has shrunk meanwhile, above that version', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.txt', prose(7, 2_000))
    const attempted: Document[] = []
    const dying = { write: async (documents: readonly Document[]) => died(attempted, documents) }
    const writer = { ...dying, [Symbol.asyncDispose]: () => Promise.resolve() }
    await expect(producer.run(undefined, { deps: { writer } })).rejects.toThrow('killed')
    const file = producer.write('a.txt', 'short')
    utimesSync(file, 1_000, 1_000)

    const { sent } = await producer.run()

    expect(idsOf(sent.filter(({ deleted }) => deleted))).toEqual(idsOf(attempted))
    for (const { version } of sent) expect(version).toBe(attempted[0]!.version + 1)
  })

  test('while the log is away it waits, says so, and goes on by itself', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.md', 'one')
    let failures = 0
    const sent: Document[] = []
    const writer = {
      write: async (documents: readonly Document[]) => {
        failures += 1
        if (failures < 3) throw new Failure('LOG_UNAVAILABLE', 'no broker answers')
        sent.push(...documents)
      },
      [Symbol.asyncDispose]: () => Promise.resolve()
    }

    const { events, report } = await producer.run(undefined, { deps: { writer } })

    expect(events.filter(({ event }) => event === 'waiting')).toMatchObject([
      { reason: 'no broker answers' },
      { reason: 'no broker answers' }
    ])
    expect(events.some(({ event }) => event === 'resumed')).toBe(true)
    expect(sent).toHaveLength(1)
    expect(report.emitted).toBe(1)
  })

  test('a run that is told to stop says so, deletes nothing, and the next one goes on', async () => {
    await using producer = new ProducerUnderTest()
    for (let i = 0; i < 30; i += 1) producer.write(`${i}.md`, `text ${i}`)
    await producer.run()
    for (let i = 0; i < 30; i += 1) producer.write(`${i}.md`, `changed ${i}`)
    const stop = new AbortController()
    const stopping = {
      write: async () => {
        stop.abort()
        stop.signal.throwIfAborted()
      },
      [Symbol.asyncDispose]: () => Promise.resolve()
    }

    const stopped = await producer.run(undefined, { deps: { writer: stopping }, signal: stop.signal })
    const next = await producer.run()

    expect(stopped.report).toMatchObject({ stopped: true, emitted: 0, tombstones: 0 })
    expect(next.sent).toHaveLength(30)
  })

  test('two runs over the same root at once are refused', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.md', 'one')
    const inside = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const writer = {
      write: async () => {
        inside.resolve()
        await release.promise
      },
      [Symbol.asyncDispose]: () => Promise.resolve()
    }
    const first = producer.run(undefined, { deps: { writer } })
    await inside.promise

    await expect(producer.run()).rejects.toMatchObject({ code: 'RUN_ACTIVE' })
    release.resolve()
    await first
    expect((await producer.run()).report.unchanged).toBe(1)
  })
})

describe('what is remembered', () => {
  test('another cluster, or a topic made anew, gets everything again', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.md', 'one')
    const ends = (end: bigint) => ({ bounds: async () => new Map([[0, { start: 0n, end }]]) })
    await producer.run(undefined, { deps: { log: ends(50n) } })

    const shorter = await producer.run(undefined, { deps: { log: ends(3n) } })
    const same = await producer.run(undefined, { deps: { log: ends(4n) } })
    const other = await producer.run(undefined, { deps: { log: ends(4n), logId: 'elsewhere' } })

    expect(shorter.sent).toHaveLength(1)
    expect(shorter.report.notices.join()).toContain('made anew')
    expect(same.sent).toEqual([])
    expect(other.sent).toHaveLength(1)
    expect(other.report.notices.join()).toContain('another Kafka cluster')
  })

  test('without its memory it sends everything again under the same versions, and says what it cannot know', async () => {
    await using producer = new ProducerUnderTest()
    await using amnesiac = new ProducerUnderTest()
    producer.write('a.md', 'one')
    const first = await producer.run()

    const again = await producer.run(undefined, {
      deps: { store: amnesiac.store, log: new MemoryLogAdmin(amnesiac.log) }
    })

    expect(again.sent).toEqual(first.sent)
    expect(again.report.notices.join()).toContain('go unnoticed')
  })

  test('an id made from a path is refused when it belongs to a file of another root that still exists', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('one/README.md', 'one')
    producer.write('two/README.md', 'two')
    await producer.run([join(producer.root, 'one')])

    const refused = await producer.run([join(producer.root, 'two')])
    const apart = await producer.run([join(producer.root, 'two')], { options: { idPrefix: 'two/' } })

    expect(refused.sent).toEqual([])
    expect(refused.report.rejected[0]!.reason).toContain('--id-prefix')
    expect(apart.sent).toMatchObject([{ docId: 'two/README.md' }])
  })
})

function died(attempted: Document[], documents: readonly Document[]): never {
  attempted.push(...documents)
  throw new Failure('TOPIC_UNFIT', 'killed')
}
