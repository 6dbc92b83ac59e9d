import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, linkSync, mkdirSync, renameSync, symlinkSync, truncateSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { problemOfId } from '../../../services/producer/src/check-id.ts'
import { isNestedTooDeep } from '../../../services/producer/src/json-limits.ts'
import { readLines } from '../../../services/producer/src/read-lines.ts'
import type { IngestReport } from '../../../services/producer/src/ingest-report.ts'
import { ProducerUnderTest } from '../../support/producer-under-test.ts'

const reasonsOf = ({ rejected }: IngestReport): Record<string, string> =>
  Object.fromEntries(rejected.map(({ path, reason }) => [path, reason]))

describe('hostile files', () => {
  test('each is named with its reason, and the good one is sent', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('good.md', 'fine')
    producer.write('empty.txt', '')
    producer.write('blank.md', ' \n\t\n')
    producer.write('empty.jsonl', '')
    producer.write('binary.txt', Buffer.from([1, 2, 0, 3]))
    producer.write('latin1.txt', Buffer.from('caf\u00e9', 'latin1'))
    producer.write('broken.json', '{"id":')
    producer.write('deep.json', `${'['.repeat(20_000)}`)
    producer.write('package.json', '{"name":"x"}')
    truncateSync(producer.write('sparse.txt', 'x'), 60 * 1_048_576)
    execFileSync('mkfifo', [join(producer.root, 'pipe'), join(producer.root, 'pipe.md')])
    const server = createServer().listen(join(producer.root, 'socket.txt'))
    await once(server, 'listening')

    const { sent, report } = await producer.run()
    server.close()

    expect(sent.map(({ docId }) => docId)).toEqual(['good.md'])
    expect(reasonsOf(report)).toEqual({
      'empty.txt': 'empty',
      'blank.md': 'no text in it',
      'empty.jsonl': 'empty',
      'binary.txt': 'binary: it holds NUL bytes',
      'latin1.txt': 'not valid UTF-8',
      'broken.json': expect.stringMatching(/^not valid JSON/),
      'deep.json': 'the JSON is nested too deep',
      'package.json': 'the object: no id',
      'sparse.txt': 'oversized: more than 52428800 bytes (--max-file-mb)',
      pipe: 'a pipe (fifo), not a file',
      'pipe.md': 'a pipe (fifo), not a file',
      'socket.txt': 'a socket, not a file'
    })
  })

  test('symbolic links never lead out of the root, nor in circles, nor twice to one text', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a/real.md', 'inside')
    producer.write('../outside.md', 'secret')
    mkdirSync(join(producer.folder, 'elsewhere'))
    symlinkSync(join(producer.folder, 'outside.md'), join(producer.root, 'out.md'))
    symlinkSync(join(producer.folder, 'elsewhere'), join(producer.root, 'folder-out'))
    symlinkSync('nowhere', join(producer.root, 'dangling.md'))
    symlinkSync('real.md', join(producer.root, 'a', 'twice.md'))
    symlinkSync('..', join(producer.root, 'a', 'loop'))

    const { sent, report } = await producer.run()

    expect(sent.map(({ docId }) => docId)).toEqual(['a/real.md'])
    expect(reasonsOf(report)).toEqual({
      'out.md': 'a symbolic link that leads out of the root',
      'folder-out': 'a symbolic link that leads out of the root',
      'dangling.md': 'a symbolic link that leads nowhere'
    })
  })

  test('a file that cannot be read keeps its document', async () => {
    await using producer = new ProducerUnderTest()
    const file = producer.write('a.md', 'one')
    producer.write('b.md', 'two')
    await producer.run()
    // In place of the file, something that no user can read as one.
    producer.remove('a.md')
    execFileSync('mkfifo', [file])
    chmodSync(file, 0o000)

    const { sent, report } = await producer.run()

    expect(sent).toEqual([])
    expect(report).toMatchObject({ kept: 1, tombstones: 0 })
  })

  test('a file that was emptied loses its document and is named', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.md', 'one')
    producer.write('b.md', 'two')
    await producer.run()
    producer.write('a.md', '')

    const { sent, report } = await producer.run()

    expect(sent).toMatchObject([{ docId: 'a.md', deleted: true }])
    expect(reasonsOf(report)).toEqual({ 'a.md': 'empty' })
  })

  test('an empty root is not believed: a disk may be missing', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('a.md', 'one')
    producer.write('b.md', 'two')
    await producer.run()
    renameSync(producer.root, join(producer.folder, 'unmounted'))
    mkdirSync(producer.root)

    const kept = await producer.run()
    const deleted = await producer.run(undefined, { options: { allowEmpty: true } })

    expect(kept.sent).toEqual([])
    expect(kept.report.kept).toBe(2)
    expect(kept.report.notices.join()).toContain('--allow-empty')
    expect(deleted.sent).toHaveLength(2)
  })

  test('a file below a mount that is gone keeps its document', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('mount/a.md', 'one')
    producer.write('b.md', 'two')
    await producer.run()
    // As if the file had been on a device of its own.
    const entry = producer.store.entry('mount/a.md')!
    producer.store.replace([{ from: entry.version, entry: { ...entry, elsewhere: true } }])
    producer.remove('mount/a.md')

    const { sent, report } = await producer.run()

    expect(sent).toEqual([])
    expect(report.kept).toBe(1)
  })

  test('a folder in whose place a link stands keeps its documents', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('sub/a.md', 'one')
    producer.write('b.md', 'two')
    await producer.run()
    renameSync(join(producer.root, 'sub'), join(producer.folder, 'moved'))
    symlinkSync(join(producer.folder, 'moved'), join(producer.root, 'sub'))

    const { sent, report } = await producer.run()

    expect(sent).toEqual([])
    expect(report.kept).toBe(1)
  })

  test('names with control characters are refused and never reach the terminal', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('evil\u001b[2J\nname.md', 'text')

    const { sent, report } = await producer.run()

    expect(sent).toEqual([])
    expect(report.rejected).toEqual([
      { path: 'evil\ufffd[2J\ufffdname.md', reason: 'the id holds control characters' }
    ])
  })

  test('a hard link is read as the file it is', async () => {
    await using producer = new ProducerUnderTest()
    linkSync(producer.write('a.md', 'same'), join(producer.root, 'b.md'))

    const { sent } = await producer.run()

    expect(new Set(sent.map(({ textHash }) => textHash)).size).toBe(1)
    expect(sent).toHaveLength(2)
    expect(existsSync(join(producer.root, 'b.md'))).toBe(true)
  })
})

describe('hostile lines', () => {
  test('each is named with its line and the others are sent', async () => {
    await using producer = new ProducerUnderTest()
    const lines = [
      '{"id":"good","text":"fine"}',
      'not json',
      '{"text":"no id"}',
      '{"id":"../../etc/passwd","text":"x"}',
      '{"id":"a\\\\..\\\\b","text":"x"}',
      `{"id":"${'x'.repeat(1001)}","text":"x"}`,
      '{"id":"nul\\u0000","text":"x"}',
      '{"id":"n","text":5}',
      '{"id":"m","text":"x","metadata":{"__proto__":{"polluted":true}}}',
      '{"id":"v","text":"x","version":-1}',
      '{"id":"chunk#1","text":"x"}',
      '{"id":"\\ud800","text":"x"}',
      `{"id":"deep","text":"x","metadata":${'{"a":'.repeat(100)}1${'}'.repeat(100)}}`,
      '[1]',
      '{"id":"only control","text":"\\u0000\\u0007"}',
      '{"id":"lone surrogate","text":"a\\ud800b"}'
    ]
    producer.write(
      'lines.jsonl',
      Buffer.concat([Buffer.from(lines.join('\n')), Buffer.from('\n{"id":"\xff","text":"x"}\n', 'latin1')])
    )

    const { sent, report } = await producer.run()

    expect(sent.map(({ docId, text }) => [docId, text])).toEqual([
      ['good', 'fine'],
      ['lone surrogate', 'a\ufffdb']
    ])
    expect(report.rejected.map(({ reason }) => reason)).toEqual([
      'line 2: not valid JSON',
      'line 3: no id',
      'line 4: the id holds a ".." segment',
      'line 5: the id holds a ".." segment',
      'line 6: the id is longer than 1000 characters',
      'line 7: the id holds control characters',
      'line 8: the text is not a string',
      'line 9: the metadata has a key "__proto__"',
      'line 10: the version is not an integer from 0 to 2^53-1',
      'line 11: the id ends like that of a chunk: #number',
      'line 12: the id is not valid Unicode',
      'line 13: the metadata is nested deeper than 64',
      'line 14: not a JSON object',
      'no text in it',
      'line 17: not valid UTF-8'
    ])
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  test('a line of a gigabyte is passed over in little memory, and the next one is read', async () => {
    const megabyte = Buffer.alloc(1_048_576, 'x')
    let highest = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 1024; i += 1) {
        if (i % 64 === 0) highest = Math.max(highest, process.memoryUsage().arrayBuffers)
        yield megabyte
      }
      yield Buffer.from('\nnext\nlast')
    }
    const before = process.memoryUsage().arrayBuffers

    const lines = await Array.fromAsync(readLines(endless(), 8 * 1_048_576), ({ number, bytes }) => [
      number,
      bytes?.toString()
    ])

    expect(lines).toEqual([
      [1, undefined],
      [2, 'next'],
      [3, 'last']
    ])
    expect(highest - before).toBeLessThan(32 * 1_048_576)
  })

  test('a malformed table is read up to the fault', async () => {
    await using producer = new ProducerUnderTest()
    producer.write('t.csv', 'id,text\n1,fine\n2,too,many\n3,"open\n')

    const { sent, report } = await producer.run()

    expect(sent.map(({ docId }) => docId)).toEqual(['1'])
    expect(report.rejected.map(({ reason }) => reason)).toEqual([
      'row 2: 3 fields where the header has 2',
      expect.stringMatching(/^malformed CSV, read no further/)
    ])
  })
})

test('a word without end is split in bounded time', async () => {
  await using producer = new ProducerUnderTest()
  producer.write('a.txt', 'x'.repeat(150_000))

  const { sent } = await producer.run()

  expect(sent.length).toBeGreaterThan(100)
  expect(Math.max(...sent.map(({ tokens }) => tokens))).toBeLessThanOrEqual(400)
})

test('ids are checked', () => {
  expect(problemOfId('guide/a b.md')).toBeUndefined()
  expect(problemOfId('a..b/..c')).toBeUndefined()
  expect(problemOfId('')).toBeDefined()
  expect(problemOfId('a/../b')).toBeDefined()
})

test('brackets within strings do not count as nesting', () => {
  const long = JSON.stringify({ text: '[{'.repeat(20_000), quote: '\\"[' })
  expect(isNestedTooDeep(Buffer.from(long))).toBe(false)
  expect(isNestedTooDeep(Buffer.from('['.repeat(20_000)))).toBe(true)
})
