import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { OpenaiJobResults } from '@pointsman/core/adapters/openai/batch-results'
import { Spool } from '@pointsman/core/adapters/openai/spool'
import type { LineOutcome } from '@pointsman/core/ports/batch-provider'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import {
  answered,
  answeredWith,
  base64,
  contentOf,
  customId,
  notRun,
  refused,
  vectorBytes
} from '../../support/result-lines.ts'

const { signal } = new AbortController()
const directory = await mkdtemp(path.join(tmpdir(), 'pointsman-results-'))
afterAll(() => rm(directory, { recursive: true, force: true }))
const spool = await Spool.open(directory)
const dimensions = 4

async function open(...files: readonly (string | Buffer)[]): Promise<OpenaiJobResults> {
  const written = files.map(async content => {
    const file = await spool.create()
    await file.handle.writeFile(content)
    return file
  })
  return await OpenaiJobResults.open(await Promise.all(written), spool, dimensions, signal)
}

const vectorOf = (index: number): readonly number[] => [1, index, 0 - index, 0.5]
const good = (index: number): string => JSON.stringify(answered(customId(index), base64(vectorOf(index))))

/** Kinds of outcomes of the first so many contents. */
async function kinds(results: OpenaiJobResults, count: number): Promise<readonly (string | undefined)[]> {
  const contents = Array.from({ length: count }, (_, index) => contentOf(index))
  const outcomes = await results.read(contents)
  return contents.map(content => outcomes.get(content)?.kind)
}

function expectVector(outcome: LineOutcome | undefined, index: number): void {
  expect(outcome?.kind === 'vector' && Buffer.from(outcome.vector)).toEqual(vectorBytes(vectorOf(index)))
}

test('reads each line that is asked for, in whatever order, from both files', async () => {
  const output = [3, 1, 0].map(good).join('\n')
  const errors = JSON.stringify(notRun(customId(2), 'batch_expired'))
  await using results = await open(`${output}\n`, `${errors}\n`)

  expect(results).toMatchObject({ lines: 4, strangers: 0, repeats: 0 })
  expect(await kinds(results, 5)).toEqual(['vector', 'vector', 'failed', 'vector', undefined])
  const outcomes = await results.read([contentOf(0), contentOf(3), contentOf(0)])
  expectVector(outcomes.get(contentOf(0)), 0)
  expectVector(outcomes.get(contentOf(3)), 3)
})

test('vectors that are given back are empty, and others of the same file are not', async () => {
  await using results = await open([0, 1].map(good).join('\n'))
  const vectorsOf = async (index: number): Promise<Uint8Array[]> => {
    const outcome = (await results.read([contentOf(index)])).get(contentOf(index))
    return outcome?.kind === 'vector' ? [outcome.vector] : []
  }
  const [first, second] = [await vectorsOf(0), await vectorsOf(1)]
  results.release([...first, Buffer.from('not read from here')])

  expect(first.map(({ length }) => length)).toEqual([0])
  expect(second.map(vector => Buffer.from(vector))).toEqual([vectorBytes(vectorOf(1))])
  expectVector((await results.read([contentOf(0)])).get(contentOf(0)), 0)
})

test('answers may stand in the error file and errors in the output file', async () => {
  const errors = JSON.stringify(refused(customId(1), 400, "Invalid 'input': input cannot be an empty string"))
  await using results = await open(errors, good(0))
  expect(await kinds(results, 2)).toEqual(['vector', 'rejected'])
})

test.each([
  ['LF', [good(0), good(1), ''].join('\n')],
  ['CRLF', [good(0), good(1), ''].join('\r\n')],
  ['no end of the last line', [good(0), good(1)].join('\n')],
  ['blank lines', ['', good(0), ' \t', '', good(1), '', '\r', ''].join('\n')],
  ['a byte order mark', `\ufeff${good(0)}\n${good(1)}\n`],
  ['a mark and nothing else on the first line', `\ufeff\n${good(0)}\n${good(1)}\n`]
])('reads a file with %s', async (_, file) => {
  await using results = await open(file)
  expect(results).toMatchObject({ lines: 2, strangers: 0, repeats: 0 })
  expect(await kinds(results, 2)).toEqual(['vector', 'vector'])
})

test('what is no line of ours is counted, and harms no neighbour', async () => {
  const strangers = [
    'not JSON',
    good(7).slice(0, -1),
    '{}',
    '[]',
    'null',
    JSON.stringify(answered('request-1', base64(vectorOf(1)))),
    JSON.stringify({ ...answered('', 'AAAA'), custom_id: 7 }),
    `{"custom_id":"${customId(1)}"`
  ]
  await using results = await open([good(0), ...strangers, good(1)].join('\n'))
  expect(results).toMatchObject({ lines: 10, strangers: 8, repeats: 0 })
  expect(await kinds(results, 2)).toEqual(['vector', 'vector'])
})

test('a byte that is not UTF-8 spoils its own line at most', async () => {
  const inText = Buffer.from(good(0).replace('"req"', '"r?q"'))
  inText[inText.indexOf('r?q') + 1] = 0xff
  const inVector = Buffer.from(good(1))
  inVector[inVector.indexOf(base64(vectorOf(1))) + 3] = 0xff
  const inName = Buffer.from(good(2))
  inName[inName.indexOf(customId(2)) + 3] = 0xff
  const lines = [inText, inVector, inName, Buffer.from(good(3))]
  await using results = await open(Buffer.concat(lines.flatMap(line => [line, Buffer.from('\n')])))

  expect(results).toMatchObject({ lines: 4, strangers: 1 })
  expect(await kinds(results, 4)).toEqual(['vector', 'rejected', undefined, 'vector'])
})

test('of several lines of one text the first usable one counts, wherever it stands', async () => {
  const other = JSON.stringify(answered(customId(0), base64(vectorOf(9))))
  const bad = JSON.stringify(answered(customId(1), base64([0, 0, 0, 0])))
  const failed = JSON.stringify(notRun(customId(2), 'batch_expired'))
  const final = JSON.stringify(refused(customId(2), 400, 'the input is too long'))
  await using results = await open(
    [good(0), bad, failed, other].join('\n'),
    [good(1), final, good(0)].join('\n')
  )

  expect(results).toMatchObject({ lines: 7, strangers: 0, repeats: 4 })
  expect(await kinds(results, 3)).toEqual(['vector', 'vector', 'rejected'])
  expectVector((await results.read([contentOf(0)])).get(contentOf(0)), 0)
})

test('lines without end are passed over', async () => {
  const endless = Buffer.alloc(5_000_000, 'x')
  const long = JSON.stringify({ ...answered(customId(1), base64(vectorOf(1))), x: 'y'.repeat(3_000_000) })
  const newline = Buffer.from('\n')
  const lines = [good(0), endless, long, good(2), endless].map(line => Buffer.from(line))
  await using results = await open(Buffer.concat(lines.flatMap(line => [line, newline]).slice(0, -1)))

  expect(results).toMatchObject({ lines: 5, strangers: 2 })
  expect(await kinds(results, 3)).toEqual(['vector', 'vector', 'vector'])
})

test('reads many lines that lie apart and together', async () => {
  const count = 3_000
  const order = Array.from({ length: count }, (_, index) => (index * 7) % count)
  const lines = order.map(index => JSON.stringify(answeredWith(customId(index), body(index))))
  await using results = await open(lines.join('\n'))
  expect(results).toMatchObject({ lines: count, strangers: 0, repeats: 0 })

  for (let first = 0; first < count; first += 300) {
    const indices = Array.from({ length: 300 }, (_, index) => first + index)
    const outcomes = await results.read(indices.map(contentOf))
    for (const index of indices) expectVector(outcomes.get(contentOf(index)), index)
  }
})

function body(index: number): object {
  const data = [{ embedding: base64(vectorOf(index)), index: 0, object: 'embedding' }]
  return { filler: 'x'.repeat(index % 900), data, usage: { total_tokens: 1 } }
}

test('an empty file has no lines', async () => {
  await using results = await open('', '\n')
  expect(results).toMatchObject({ lines: 0, strangers: 0, repeats: 0 })
  expect(await kinds(results, 1)).toEqual([undefined])
})

test('stops reading when it is told to', async () => {
  const reason = new Error('stopping')
  await using file = await spool.create()
  await file.handle.writeFile(good(0))
  await expect(OpenaiJobResults.open([file], spool, dimensions, AbortSignal.abort(reason))).rejects.toBe(
    reason
  )
})

const styles = fc.record({
  end: fc.constantFrom('\n', '\r\n', '\n\n', ' \n'),
  blanks: fc.constantFrom('', ' ', '\t'),
  isBackwards: fc.boolean(),
  isFloat: fc.boolean()
})
const plans = fc.array(
  fc.record({
    index: fc.nat(8),
    style: styles,
    fate: fc.constantFrom('vector', 'rejected', 'failed', 'stranger')
  }),
  { maxLength: 20 }
)

/** A line as somebody else might write it: other blanks, other order of keys. */
function styled(line: object, { blanks, isBackwards }: { blanks: string; isBackwards: boolean }): string {
  const turn = (_: string, value: unknown): unknown => {
    if (!isBackwards || typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).toReversed())
  }
  return JSON.stringify(line, turn).replaceAll('":', `"${blanks}:${blanks}`)
}

test('however the lines are written, each is known and none is taken for another', async () => {
  const known = fc.asyncProperty(plans, fc.boolean(), async (plan, isSplit) => {
    const lines = plan.map(({ fate, index, style }) => {
      const embedding = style.isFloat ? vectorOf(index) : base64(vectorOf(index))
      const line = {
        vector: answered(customId(index), embedding),
        rejected: answered(customId(index), base64([0, 0, 0, 0])),
        failed: notRun(customId(index), 'batch_cancelled'),
        stranger: answered(`${customId(index)}x`, embedding)
      }[fate]
      return styled(line, style) + style.end
    })
    const half = isSplit ? lines.length >> 1 : lines.length
    await using results = await open(lines.slice(0, half).join(''), lines.slice(half).join(''))

    const named = plan.filter(({ fate }) => fate !== 'stranger')
    const indices = new Set(named.map(({ index }) => index))
    expect(results).toMatchObject({
      lines: plan.length,
      strangers: plan.length - named.length,
      repeats: named.length - indices.size
    })
    const outcomes = await results.read(Array.from({ length: 9 }, (_, index) => contentOf(index)))
    for (let index = 0; index < 9; index += 1) {
      const fates = named.filter(each => each.index === index).map(({ fate }) => fate)
      const expected = (['vector', 'rejected', 'failed'] as const).find(fate => fates.includes(fate))
      expect(outcomes.get(contentOf(index))?.kind).toBe(expected)
      if (expected === 'vector') expectVector(outcomes.get(contentOf(index)), index)
    }
  })
  await fc.assert(known, { numRuns: 150 })
})
