import { cutLine, cutMark } from '@pointsman/core/adapters/openai/cut-line'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answered, base64, customId } from '../../support/result-lines.ts'

function cut(line: string | Buffer) {
  const before = Buffer.from('{"custom_id":"before"}\n')
  const behind = Buffer.from('\n{"embedding":"behind"}')
  const bytes = Buffer.from(line)
  const buffer = Buffer.concat([before, bytes, behind])
  const found = cutLine(buffer, before.length, before.length + bytes.length)
  // A text with its quotes: what was cut out, as JSON.
  const margin = found?.vector && buffer[found.vector.from - 1] === 0x22 ? 1 : 0
  const vector =
    found?.vector && buffer.toString('utf8', found.vector.from - margin, found.vector.to + margin)
  return { json: found?.json, vector }
}

/** The line, with what was cut put back in its place. */
function restored(line: string | Buffer): unknown {
  const { json, vector } = cut(line)
  const back: unknown = JSON.parse(JSON.stringify(json), (_, value: unknown) => {
    return value === cutMark && vector !== undefined ? JSON.parse(vector) : value
  })
  return back
}

test.each([
  ['base64', base64([1, 2, 3])],
  ['floats', [0.25, -1e-7, 3]],
  ['floats with blanks', [0.25, 3]]
])('cuts out %s', (name, embedding) => {
  const line = answered(customId(1), embedding)
  const text = JSON.stringify(line, undefined, name.includes('blanks') ? 1 : undefined)
  const { json, vector } = cut(text)

  expect(JSON.stringify(json)).toContain(JSON.stringify(cutMark))
  expect(vector).toBeDefined()
  expect(restored(text)).toEqual(line)
})

test.each([
  ['a text with quotes', { embedding: 'a"b' }],
  ['a text that ends with a backslash', { embedding: 'ab\\' }],
  ['two vectors', { data: [{ embedding: 'aa' }, { embedding: 'bb' }] }],
  ['lists in a list', { embedding: [[1], [2]] }],
  ['texts in a list', { embedding: [']', '"'] }],
  ['the mark itself', { embedding: cutMark }],
  ['the name as a text', { object: 'embedding', x: ['embedding', ':', '"'] }],
  ['the name within a text', { text: '"embedding":"x"', y: 1 }],
  ['nothing', {}],
  ['null', { embedding: null }],
  ['a number', 7]
])('parses a line with %s for what it is', (_, value) => {
  expect(restored(JSON.stringify(value))).toEqual(value)
})

test.each(['', '{', '{"custom_id":', '{"embedding":"', '{"embedding":[1,2', 'NaN', '{"embedding":"a"}}'])(
  'says that %j is not JSON',
  line => {
    expect(cut(line)).toEqual({ json: undefined, vector: undefined })
  }
)

test('looks neither before its line nor behind it', () => {
  expect(cut('{"embedding"')).toEqual({ json: undefined, vector: undefined })
  expect(cut('{"embedding":')).toEqual({ json: undefined, vector: undefined })
  expect(cut('{"custom_id":"x"}')).toEqual({ json: { custom_id: 'x' }, vector: undefined })
})

const words = fc.constantFrom(
  'embedding',
  'custom_id',
  '"embedding":"',
  ']',
  '[',
  '\\',
  '"',
  'AAAA',
  '/+=',
  'ä𝄞\u0000',
  ''
)
const values = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    words,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(number => (Object.is(number, -0) ? 0 : number)),
    fc.constantFrom(null, true),
    fc.array(fc.integer(), { maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('embedding', 'custom_id', 'data', 'x"'), tie('value'), { maxKeys: 3 })
  )
})).value

/** Any JSON of a value: blanks where they may stand, characters as escapes. */
function written(value: unknown, blank: () => string, escape: () => boolean): string {
  const between = (): string => blank()
  const text = (string: string): string => (escape() ? `"${escaped(string)}"` : JSON.stringify(string))
  const one = (each: unknown): string => {
    if (typeof each === 'string') return text(each)
    if (Array.isArray(each))
      return `[${between()}${each.map(item => `${one(item)}${between()}`).join(`,${between()}`)}]`
    if (typeof each !== 'object' || each === null) return JSON.stringify(each)
    const fields = Object.entries(each).map(
      ([key, item]) => `${text(key)}${between()}:${between()}${one(item)}`
    )
    return `{${between()}${fields.join(`${between()},${between()}`)}${between()}}`
  }
  return `${between()}${one(value)}${between()}`
}

function escaped(string: string): string {
  const units = Array.from({ length: string.length }, (_, index) => string.charCodeAt(index))
  return units.map(unit => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

test('however a line is written, what is cut out of it is all that is missing', () => {
  const same = fc.property(
    values,
    fc.array(fc.nat(3), { minLength: 1 }),
    fc.array(fc.boolean(), { minLength: 1 }),
    (value, blanks, escapes) => {
      let turn = 0
      const blank = (): string => ['', ' ', '\t', ' \r '][blanks[turn++ % blanks.length] ?? 0] ?? ''
      const line = written(value, blank, () => escapes[turn++ % escapes.length] ?? false)
      expect(restored(line)).toEqual(JSON.parse(line))
    }
  )
  fc.assert(same, { numRuns: 1_000 })
})

test('a byte that was changed makes the line another one or none, as it does for JSON.parse', () => {
  const line = Buffer.from(JSON.stringify(answered(customId(1), base64([1, 2, 3, 4]))))
  const same = fc.property(fc.nat(line.length - 1), fc.nat(255), (at, byte) => {
    const changed = Buffer.from(line)
    changed[at] = byte
    let whole: unknown
    try {
      whole = JSON.parse(changed.toString())
    } catch {
      // The vector's own bytes are judged when they are decoded.
      return
    }
    expect(restored(changed)).toEqual(whole)
  })
  fc.assert(same, { numRuns: 2_000 })
})
