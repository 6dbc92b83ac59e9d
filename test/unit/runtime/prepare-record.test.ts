import { prepareRecord } from '@pointsman/core/runtime/prepare-record'
import type { Document } from '@pointsman/core/domain/document'
import type { DocumentCodec, LogRecord } from '@pointsman/core/ports/event-log'
import { expect, test } from 'vitest'
import { aText } from '../../support/memory-lane.ts'

const record: LogRecord = { partition: 0, offset: 0n, timestampMs: 0, key: 'd', value: undefined }

/** What becomes of a record that is read as this document. */
async function prepared(document: Document): Promise<string> {
  const codec: DocumentCodec = {
    prepare: () => Promise.resolve(),
    encode: () => Promise.resolve(new Uint8Array()),
    decode: () => Promise.resolve({ kind: 'document', document })
  }
  const spec = { model: 'text-embedding-3-small', dimensions: 64 }
  const outcome = await prepareRecord(record, codec, spec)
  return outcome.kind === 'candidate' ? outcome.kind : outcome.reason
}

test.each([
  ['NUL', aText('d', 1, 'a\0b'), 'the text holds a NUL character'],
  ['half a pair', aText('d', 1, 'a\ud83d b'), 'the text holds lone surrogates: it is not valid Unicode'],
  [
    'what was no UTF-8',
    { ...aText('d', 1, 'a\ufffd'), textHash: aText('d', 1, 'other').textHash },
    'the text does not match its hash: it is not valid UTF-8'
  ],
  [
    'another text',
    { ...aText('d', 1, 'a'), textHash: aText('d', 1, 'other').textHash },
    'the text does not match its hash'
  ],
  ['nothing', aText('d', 1, ''), 'the text is empty'],
  ['white space', aText('d', 1, '\u2003 \n'), 'the text is empty'],
  ['too much', { ...aText('d', 1, 'a'), tokens: 8_192 }, '8192 tokens: an input has 1 to 8191'],
  ['as much as there may be', { ...aText('d', 1, 'a'), tokens: 8_191 }, 'candidate'],
  ['a replacement character of its own', aText('d', 1, 'a \ufffd'), 'candidate'],
  ['whole pairs and other scripts', aText('d', 1, '😀 日本語 \u0301'), 'candidate']
])('a text of %s', async (_what, document, outcome) => {
  expect(await prepared(document)).toBe(outcome)
})
