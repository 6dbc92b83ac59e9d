import { problemOfMetadata } from './json-limits.ts'

/** What a JSONL line, a JSON object or a CSV row says. */
export interface SourceRecord {
  readonly id: string
  readonly text: string
  readonly title: string | undefined
  readonly version: number | undefined
  readonly metadata: Readonly<Record<string, unknown>>
  readonly deleted: boolean
}

export type RecordReading =
  | { readonly record: SourceRecord }
  | { readonly id: string | undefined; readonly reason: string }

/** Checks one `{"id","text","version"?,"title"?,"metadata"?,"deleted"?}`. */
export function parseRecord(value: unknown): RecordReading {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { id: undefined, reason: 'not a JSON object' }
  }
  // Spread copies own properties only: an own "__proto__" stays an ordinary, unread one.
  const fields: Readonly<Record<string, unknown>> = { ...value }
  const id = idOf(fields['id'])
  if (id === undefined) return { id, reason: fields['id'] === undefined ? 'no id' : 'the id is not a string' }

  const { text, title, version, metadata = {}, deleted = false } = fields
  const refuse = (reason: string): RecordReading => ({ id, reason })
  if (typeof deleted !== 'boolean') return refuse('deleted is not true or false')
  if (typeof text !== 'string' && !(deleted && (text === undefined || text === null))) {
    return refuse(text === undefined ? 'no text' : 'the text is not a string')
  }
  if (!isOptional(title, 'string')) return refuse('the title is not a string')
  if (!isOptional(version, 'number') || !isVersion(version)) {
    return refuse('the version is not an integer from 0 to 2^53-1')
  }
  if (!isObject(metadata)) return refuse('the metadata is not a JSON object')
  const problem = problemOfMetadata(metadata)
  if (problem !== undefined) return refuse(problem)

  return {
    record: {
      id,
      text: typeof text === 'string' ? text : '',
      title: title ?? undefined,
      version: version ?? undefined,
      metadata,
      deleted
    }
  }
}

function idOf(id: unknown): string | undefined {
  if (typeof id === 'string') return id
  return Number.isSafeInteger(id) ? String(id) : undefined
}

function isVersion(version: number | null | undefined): boolean {
  return version === undefined || version === null || (Number.isSafeInteger(version) && version >= 0)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isOptional(value: unknown, type: 'string'): value is string | null | undefined
function isOptional(value: unknown, type: 'number'): value is number | null | undefined
function isOptional(value: unknown, type: 'string' | 'number'): boolean {
  return value === undefined || value === null || typeof value === type
}
