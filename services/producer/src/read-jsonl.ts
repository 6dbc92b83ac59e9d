import { isUtf8 } from 'node:buffer'
import { isNestedTooDeep } from './json-limits.ts'
import { parseRecord, type RecordReading } from './parse-record.ts'
import type { RecordPlace } from './read-context.ts'
import { readLines } from './read-lines.ts'
import { readingOfRecord } from './reading-of-record.ts'
import type { Reading } from './source-text.ts'

/** One document a line, from a stream of any length. Empty lines count for nothing. */
export async function* readJsonl(
  chunks: AsyncIterable<Uint8Array>,
  place: RecordPlace,
  maxLineBytes: number
): AsyncGenerator<Reading> {
  for await (const { number, bytes } of readLines(chunks, maxLineBytes)) {
    const where = `line ${number}`
    if (bytes === undefined) {
      const reason = `oversized: the line is longer than ${maxLineBytes} bytes`
      yield readingOfRecord({ id: undefined, reason }, where, place, maxLineBytes)
      continue
    }
    const text = number === 1 && bytes[0] === 0xef ? bytes.subarray(3) : bytes
    if (isBlank(text)) continue
    yield readingOfRecord(parseJsonRecord(text), where, place, text.length)
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.length === 0 || (bytes.length < 1024 && bytes.toString('latin1').trim() === '')
}

function parseJsonRecord(bytes: Buffer): RecordReading {
  if (!isUtf8(bytes)) return { id: undefined, reason: 'not valid UTF-8' }
  if (isNestedTooDeep(bytes)) return { id: undefined, reason: 'the JSON is nested too deep' }
  try {
    return parseRecord(JSON.parse(bytes.toString('utf8')))
  } catch {
    return { id: undefined, reason: 'not valid JSON' }
  }
}
