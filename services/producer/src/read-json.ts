import { decodeText } from './decode-text.ts'
import { isNestedTooDeep } from './json-limits.ts'
import { parseRecord } from './parse-record.ts'
import type { RecordPlace } from './read-context.ts'
import { readingOfRecord } from './reading-of-record.ts'
import type { Reading } from './source-text.ts'

/** A JSON file: one document, or an array of them. */
export function* readJson(bytes: Buffer, place: RecordPlace): Generator<Reading> {
  const { path } = place
  const decoded = decodeText(bytes)
  if ('reason' in decoded) {
    yield { kind: 'rejected', path, reason: decoded.reason }
    return
  }
  if (isNestedTooDeep(bytes)) {
    yield { kind: 'rejected', path, reason: 'the JSON is nested too deep' }
    return
  }
  let value: unknown
  try {
    value = JSON.parse(decoded.text.replace(/^\ufeff/, ''))
  } catch (error) {
    yield { kind: 'rejected', path, reason: `not valid JSON: ${error instanceof Error ? error.message : ''}` }
    return
  }
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  const bytesEach = items.length === 0 ? 0 : Math.round(bytes.length / items.length)
  for (const [i, item] of items.entries()) {
    yield readingOfRecord(
      parseRecord(item),
      items.length === 1 ? 'the object' : `item ${i + 1}`,
      place,
      bytesEach
    )
  }
}
