import { problemOfId } from './check-id.ts'
import type { RecordReading } from './parse-record.ts'
import type { RecordPlace } from './read-context.ts'
import type { Reading } from './source-text.ts'

/** @param where - within the file, for a person: `line 7`. */
export function readingOfRecord(
  reading: RecordReading,
  where: string,
  { path, modifiedMs, elsewhere }: RecordPlace,
  bytes: number
): Reading {
  const rejected = (id: string | undefined, reason: string): Reading => ({
    kind: 'rejected',
    path,
    ...(id === undefined ? {} : { id }),
    reason: `${where}: ${reason}`
  })
  if ('reason' in reading) return rejected(reading.id, reading.reason)
  const { id, text, title = '', metadata, version, deleted } = reading.record
  const problem = problemOfId(id)
  if (problem !== undefined) return rejected(id, problem)
  return {
    kind: 'text',
    bytes,
    text: {
      sourceId: id,
      path,
      text,
      title,
      metadata,
      modifiedMs,
      given: version,
      named: true,
      markdown: false,
      deleted,
      elsewhere
    }
  }
}
