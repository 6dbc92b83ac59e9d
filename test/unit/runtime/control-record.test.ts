import { decodeControlRecord, encodeControlRecord } from '@pointsman/core/runtime/control-record'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ControlRecord } from '@pointsman/core/ports/control-log'

// Texts of format 1 stand in logs that are kept for ever. A change here is a change of the format.
const written: readonly (readonly [string, ControlRecord])[] = [
  [
    '{"format":1,"kind":"opened","ledgerId":"l","lane":"realtime","because":"b","atMs":1}',
    { kind: 'opened', ledgerId: 'l', lane: 'realtime', because: 'b', atMs: 1 }
  ],
  [
    '{"format":1,"kind":"intent","switchId":"s","ledgerId":"l","expectedEpoch":1,"target":"batch","strategy":"drain",' +
      '"share":0.25,"lanes":{"0":"batch"},"before":{"0":"realtime","1":"batch"},"defaultLane":"batch",' +
      '"deadlineMs":600000,"actor":"a","reason":"r","atMs":2}',
    {
      kind: 'intent',
      switchId: 's',
      ledgerId: 'l',
      expectedEpoch: 1,
      target: 'batch',
      strategy: 'drain',
      share: 0.25,
      lanes: new Map([[0, 'batch']]),
      before: new Map([
        [0, 'realtime'],
        [1, 'batch']
      ]),
      defaultLane: 'batch',
      deadlineMs: 600_000,
      actor: 'a',
      reason: 'r',
      atMs: 2
    }
  ],
  [
    '{"format":1,"kind":"outcome","switchId":"s","epoch":2,"result":"completed","because":"b","actor":"a","atMs":3,' +
      '"tookMs":0.5,"frontiers":{"0":"9223372036854775807"},"released":4,"cancelled":5}',
    {
      kind: 'outcome',
      switchId: 's',
      epoch: 2,
      result: 'completed',
      because: 'b',
      actor: 'a',
      atMs: 3,
      tookMs: 0.5,
      frontiers: new Map([[0, 9_223_372_036_854_775_807n]]),
      released: 4,
      cancelled: 5
    }
  ]
]

test.each(written)('format 1 is written and read as ever: %s', (text, record) => {
  expect(encodeControlRecord(record)).toBe(text)
  expect(decodeControlRecord(text)).toEqual(record)
})

test('a record that lacks any field, or has another value there, is not read', () => {
  for (const [text] of written) {
    const fields: Record<string, unknown> = JSON.parse(text)
    for (const field of Object.keys(fields)) {
      for (const value of [undefined, null, {}, [], { '-1': 'batch' }, { '00': '1' }, 'x'.repeat(9), '']) {
        // Any text is a text.
        if (typeof value === 'string' && /Id$|^actor$|^reason$|^because$/.test(field)) continue
        // The first records of all did not say why a life began.
        if (fields['kind'] === 'opened' && field === 'because' && value === undefined) continue
        // Nor has a map to have anything in it.
        if (/^lanes$|^before$|^frontiers$/.test(field) && JSON.stringify(value) === '{}') continue
        const changed = JSON.stringify({ ...fields, [field]: value })
        expect(decodeControlRecord(changed), changed).toBe(undefined)
      }
    }
  }
})

test('no text makes the reading throw, and what is read can be written', () => {
  const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), mangled())
  fc.assert(
    fc.property(texts, text => {
      const record = decodeControlRecord(text)
      expect(record && decodeControlRecord(encodeControlRecord(record))).toEqual(record)
    })
  )
})

/** A good text with one character replaced. */
function mangled(): fc.Arbitrary<string> {
  const texts = fc.constantFrom(...written.map(([text]) => text))
  return fc
    .tuple(texts, fc.nat(), fc.string({ unit: 'binary', maxLength: 2 }))
    .map(([text, at, with_]) => text.slice(0, at % text.length) + with_ + text.slice((at % text.length) + 1))
}

test('the first records of all did not say why a life began', () => {
  const text = '{"format":1,"kind":"opened","ledgerId":"l","lane":"realtime","atMs":1}'
  expect(decodeControlRecord(text)).toMatchObject({ kind: 'opened', ledgerId: 'l', because: '' })
})
