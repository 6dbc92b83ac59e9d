import type { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { parseRecord } from './parse-record.ts'
import type { RecordPlace } from './read-context.ts'
import { readingOfRecord } from './reading-of-record.ts'
import type { Reading } from './source-text.ts'

export interface CsvColumns {
  readonly idColumn: string | undefined
  readonly textColumn: string | undefined
}

interface Header {
  readonly columns: readonly string[]
  readonly id: number
  readonly text: number
  readonly title: number
  readonly version: number
}

/** One document a row, from a stream of any length: id, text, title, version, and the rest as metadata. */
export async function* readCsv(
  input: Readable,
  place: RecordPlace,
  choice: CsvColumns,
  maxRecordBytes: number
): AsyncGenerator<Reading> {
  const parser = parse({
    bom: true,
    max_record_size: maxRecordBytes,
    relax_column_count: true,
    skip_empty_lines: true
  })
  input.once('error', error => parser.destroy(error))
  const rows: AsyncIterable<string[]> = input.pipe(parser)
  let header: Header | undefined
  let number = 0
  try {
    for await (const row of rows) {
      if (header === undefined) {
        const found = parseHeader(row, choice)
        if ('reason' in found) {
          yield { kind: 'rejected', path: place.path, reason: found.reason }
          return
        }
        header = found
        continue
      }
      number += 1
      const where = `row ${number}`
      const bytes = row.reduce((total, field) => total + field.length, 0)
      yield readingOfRecord(recordOf(row, header), where, place, bytes)
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    yield { kind: 'rejected', path: place.path, reason: `malformed CSV, read no further: ${error.message}` }
  } finally {
    input.destroy()
    parser.destroy()
  }
}

function parseHeader(columns: readonly string[], choice: CsvColumns): Header | { readonly reason: string } {
  const find = (name: string): number => {
    const exact = columns.indexOf(name)
    return exact === -1
      ? columns.findIndex(column => column.trim().toLowerCase() === name.toLowerCase())
      : exact
  }
  const id = find(choice.idColumn ?? 'id')
  const text = find(choice.textColumn ?? 'text')
  const missing = [
    ...(id === -1 ? [`no column "${choice.idColumn ?? 'id'}" (--csv-id-column names another)`] : []),
    ...(text === -1 ? [`no column "${choice.textColumn ?? 'text'}" (--csv-text-column names another)`] : [])
  ]
  const repeated = columns.find((column, i) => columns.indexOf(column) !== i)
  if (missing.length > 0)
    return { reason: `${missing.join(', ')}; it has: ${columns.slice(0, 30).join(', ')}` }
  if (repeated !== undefined) return { reason: `two columns are called "${repeated}"` }
  return { columns, id, text, title: find('title'), version: find('version') }
}

function recordOf(row: readonly string[], header: Header): ReturnType<typeof parseRecord> {
  const { columns, id, text, title, version } = header
  const idValue = row[id] ?? ''
  if (row.length !== columns.length) {
    return { id: idValue, reason: `${row.length} fields where the header has ${columns.length}` }
  }
  if (row.some(field => field.includes('\ufffd'))) return { id: idValue, reason: 'not valid UTF-8' }
  const rest = columns.flatMap((column, i) =>
    i === id || i === text || i === title || i === version ? [] : [[column, row[i] ?? ''] as const]
  )
  const versionText = row[version]
  return parseRecord({
    id: idValue,
    text: row[text],
    ...(title === -1 ? {} : { title: row[title] }),
    ...(versionText === undefined || versionText === '' ? {} : { version: Number(versionText) }),
    metadata: Object.fromEntries(rest)
  })
}
