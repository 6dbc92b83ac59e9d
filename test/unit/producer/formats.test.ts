import { systemClock } from '@pointsman/core/runtime/clock'
import { describe, expect, test } from 'vitest'
import { DocumentExtractor } from '../../../services/producer/src/extract/document-extractor.ts'
import { ProducerUnderTest } from '../../support/producer-under-test.ts'
import { docxOf, pdfBomb, pdfOf, zipOf } from '../../support/office-files.ts'

describe('formats', () => {
  test('each gives its text and its title', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.pdf', pdfOf('The timetable', 'Trains leave at night'))
    producer.write('b.docx', docxOf('Rules &amp; signals', ['First paragraph.', 'Second one.']))
    producer.write(
      'c.html',
      '<html><head><title>Points &amp; switches</title><style>p{}</style></head><body><h1>Head</h1><script>alert(1)</script><p>A <a href="http://x">link</a>.</p></body></html>'
    )
    producer.write('d.txt', 'plain\r\ntext')
    producer.write('e.md', '---\ntitle: From front matter\ntags: [a, b]\n---\n# Heading\n\nBody')
    producer.write('f.JSON', '[{"id":"j1","text":"one"},{"id":"j2","text":"two"}]')
    producer.write('picture.png', 'not read')

    const { sent, report } = await producer.run()

    const byId = sent.toSorted((a, b) => a.docId.localeCompare(b.docId))
    const seen = byId.map(({ docId, title, text }) => [docId, title, text])
    expect(seen).toEqual([
      ['a.pdf', 'The timetable', 'Trains leave at night'],
      ['b.docx', 'Rules & signals', 'First paragraph.\n\nSecond one.'],
      ['c.html', 'Points & switches', 'Head\n\nA link.'],
      ['d.txt', 'd.txt', 'plain\ntext'],
      ['e.md', 'From front matter', '# Heading\n\nBody'],
      ['j1', '', 'one'],
      ['j2', '', 'two']
    ])
    expect(JSON.parse(sent.find(({ docId }) => docId === 'e.md')!.metadata)).toMatchObject({
      path: 'e.md',
      type: 'markdown',
      frontMatter: { title: 'From front matter', tags: ['a', 'b'] }
    })
    expect(report.skipped).toEqual({ '.png': 1 })
    expect(report.rejected).toEqual([])
  })

  test('text quoting special tokens and text in other encodings is counted and sent as text', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('special.txt', 'before <|endoftext|> after')
    producer.write('utf16.txt', Buffer.from('\ufeffh\u00e9llo', 'utf16le'))
    producer.write('nfd.txt', 'e\u0301 \u0007bell\u0000'.replace('\u0000', ''))

    const { sent } = await producer.run()

    expect(sent.map(({ text }) => text).sort()).toEqual([
      'before <|endoftext|> after',
      'h\u00e9llo',
      '\u00e9 bell'
    ])
    expect(sent.find(({ docId }) => docId === 'special.txt')!.tokens).toBe(8)
  })

  test('--no-split sends a text whole up to 8191 tokens and rejects a longer one', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('fits.txt', 'word '.repeat(8_190))
    producer.write('long.txt', 'word '.repeat(8_200))

    const { sent, report } = await producer.run(undefined, { options: { split: false } })

    expect(sent).toMatchObject([{ docId: 'fits.txt', tokens: 8190 }])
    expect(report.rejected).toEqual([
      { path: 'long.txt', id: 'long.txt', reason: 'longer than 8191 tokens, and --no-split was asked for' }
    ])
  })
})

describe('hostile office files', () => {
  test('malformed ones are named and the next file is read all the same', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('bad.pdf', '%PDF-1.4 nothing more')
    producer.write('bad.docx', 'PK but no archive')
    producer.write('noword.docx', zipOf([{ name: 'hello.txt', content: 'hi' }]))
    producer.write('deep.html', '<div>'.repeat(200_000))
    producer.write('good.pdf', pdfOf('good', 'fine'))

    const { sent, report } = await producer.run()

    expect(sent.map(({ docId }) => docId)).toEqual(['good.pdf'])
    const reasons = Object.fromEntries(report.rejected.map(({ path, reason }) => [path, reason]))
    expect(reasons['bad.pdf']).toMatch(/^malformed pdf/)
    expect(reasons['bad.docx']).toMatch(/^malformed archive/)
    expect(reasons['noword.docx']).toMatch(/^malformed docx/)
    expect(reasons['deep.html']).toBe('the HTML is nested too deep')
  })

  test('a zip bomb is refused before it is unpacked, whatever its headers say', async () => {
    await using producer = new ProducerUnderTest()
    const zeros = Buffer.alloc(30_000_000)
    producer.write('bomb.docx', docxOf('b', ['x'], [{ name: 'word/media/a.bin', content: zeros }]))
    producer.write(
      'liar.docx',
      docxOf('b', ['x'], [{ name: 'word/media/a.bin', content: zeros, announcedBytes: 100 }])
    )

    const { sent, report } = await producer.run()

    expect(sent).toEqual([])
    const reasons = Object.fromEntries(report.rejected.map(({ path, reason }) => [path, reason]))
    expect(reasons['bomb.docx']).toMatch(/^zip bomb/)
    expect(reasons['liar.docx']).toMatch(/^malformed archive/)
  })

  test('a parser that takes too much memory or time is ended, and the next file gets a new one', async () => {
    await using extractor = new DocumentExtractor(systemClock, {
      deadlineMs: 8_000,
      maxMemoryBytes: 120_000_000
    })
    await using hasty = new DocumentExtractor(systemClock, { deadlineMs: 1, maxMemoryBytes: 512_000_000 })
    const signal = new AbortController().signal

    const bomb = await extractor.extract('pdf', pdfBomb(200_000_000), signal)
    const good = await extractor.extract('pdf', pdfOf('good', 'fine'), signal)
    const late = await hasty.extract('pdf', pdfOf('good', 'fine'), signal)

    expect(bomb).toEqual({ reason: 'it took more than 120000000 bytes of memory to read' })
    expect(good).toEqual({ title: 'good', text: 'fine' })
    expect(late).toEqual({ reason: 'it took longer than 1 ms to read' })
  })
})
