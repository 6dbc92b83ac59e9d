import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { textHash } from '@pointsman/core/runtime/identity'
import { describe, expect, test } from 'vitest'
import { ProducerUnderTest, prose } from '../../support/producer-under-test.ts'
import type { Document } from '@pointsman/core/domain/document'

const idsOf = (documents: readonly Document[]): string[] => documents.map(({ docId }) => docId).sort()

describe('what a run sends', () => {
  test('a short file becomes one document with its path as id and its modification time as version', async () => {
    await using producer = new ProducerUnderTest()
    const file = producer.write('guide/start.md', '# Getting started\n\nThrow the switch.\n')
    utimesSync(file, 1_700_000_000, 1_700_000_000)

    const { sent, report } = await producer.run()

    expect(sent).toEqual([
      {
        docId: 'guide/start.md',
        sourceId: 'guide/start.md',
        version: 1_700_000_000_000,
        chunk: 0,
        chunks: 1,
        title: 'Getting started',
        text: '# Getting started\n\nThrow the switch.',
        textHash: textHash('# Getting started\n\nThrow the switch.'),
        tokens: 8,
        metadata: '{"path":"guide/start.md","type":"markdown","modified":"2023-11-14T22:13:20.000Z"}',
        deleted: false
      }
    ])
    expect(report).toMatchObject({
      documents: 1,
      emitted: 1,
      unchanged: 0,
      tombstones: 0,
      rejected: [],
      stopped: false
    })
  })

  test('a long text becomes chunks that overlap, and none is longer than asked', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('long.txt', prose(1, 2_000))

    const { sent, report } = await producer.run(undefined, {
      options: { chunkTokens: 200, overlapTokens: 40 }
    })

    expect(sent.length).toBeGreaterThan(8)
    expect(idsOf(sent)).toEqual(sent.map((_, i) => `long.txt#${i}`).sort())
    for (const document of sent) {
      expect(document.tokens).toBeLessThanOrEqual(200)
      expect(document.chunks).toBe(sent.length)
    }
    const [first, second] = sent
    const repeated = second!.text.slice(0, 60)
    expect(first!.text).toContain(repeated)
    expect(report.chunks).toBe(sent.length)
  })

  test('a second run sends nothing, also when files were only touched', async () => {
    await using producer = new ProducerUnderTest()
    const file = producer.write('a.md', 'one')
    producer.write('b.md', prose(2, 1_000))
    await producer.run()
    utimesSync(file, 1_900_000_000, 1_900_000_000)
    producer.reopenStore()

    const { sent, report } = await producer.run()

    expect(sent).toEqual([])
    expect(report).toMatchObject({ documents: 2, unchanged: 2, emitted: 0 })
  })

  test('a change of one chunk sends that chunk alone, with a higher version', async () => {
    await using producer = new ProducerUnderTest()
    const text = prose(3, 1_200)
    producer.write('a.txt', text)
    const first = await producer.run()
    producer.write('a.txt', text.replace(/\S+\s*$/, 'quickly'))

    const second = await producer.run()

    expect(second.sent).toHaveLength(1)
    expect(second.sent[0]!.version).toBeGreaterThan(first.sent[0]!.version)
  })

  test('versions rise although the clock of the files goes back', async () => {
    await using producer = new ProducerUnderTest()
    const file = producer.write('a.md', 'one')
    const first = await producer.run()
    producer.write('a.md', 'two')
    utimesSync(file, 1_000, 1_000)

    const second = await producer.run()

    expect(second.sent[0]!.version).toBe(first.sent[0]!.version + 1)
  })

  test('vanished chunks become tombstones, also when a text shrinks to one document', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.txt', prose(4, 1_200))
    const first = await producer.run()
    producer.write('a.txt', 'short now')

    const { sent, report } = await producer.run()

    expect(idsOf(sent.filter(({ deleted }) => deleted))).toEqual(idsOf(first.sent))
    expect(sent.filter(({ deleted }) => !deleted)).toMatchObject([{ docId: 'a.txt', text: 'short now' }])
    expect(report.tombstones).toBe(first.sent.length)
  })

  test('a removed file becomes a tombstone once, and comes back above it', async () => {
    await using producer = new ProducerUnderTest()
    const file = producer.write('a.md', 'one')
    producer.write('b.md', 'two')
    await producer.run()
    producer.remove('a.md')

    const gone = await producer.run()
    const again = await producer.run()
    producer.write('a.md', 'one')
    utimesSync(file, 1_000, 1_000)
    const back = await producer.run()

    expect(gone.sent).toMatchObject([{ docId: 'a.md', deleted: true, text: '', tokens: 0 }])
    expect(again.sent).toEqual([])
    expect(back.sent).toMatchObject([{ docId: 'a.md', deleted: false, version: gone.sent[0]!.version + 1 }])
  })

  test('a file named by itself that was removed becomes a tombstone; one never heard of is wrong usage', async () => {
    await using producer = new ProducerUnderTest()
    const file = producer.write('a.md', 'one')
    producer.write('b.md', 'two')
    await producer.run([file])
    producer.remove('a.md')

    const { sent } = await producer.run([file])

    expect(sent).toMatchObject([{ docId: 'a.md', deleted: true }])
    const wrong = producer.run([join(producer.root, 'x.md'), join(producer.root, 'y.md')])
    await expect(wrong).rejects.toThrow(/x\.md: not found\n.*y\.md: not found/)
  })

  test('a split that is configured otherwise replaces the chunks', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.txt', prose(5, 1_200))
    const first = await producer.run()

    const second = await producer.run(undefined, { options: { chunkTokens: 800, overlapTokens: 60 } })

    const live = new Set(idsOf(first.sent))
    for (const { docId, deleted } of second.sent) {
      if (deleted) live.delete(docId)
      else live.add(docId)
    }
    expect(live.size).toBe(second.sent.find(({ deleted }) => !deleted)!.chunks)
  })
})
