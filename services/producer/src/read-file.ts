import { posix } from 'node:path'
import type { Readable } from 'node:stream'
import { decodeText } from './decode-text.ts'
import type { ExtractionKind } from './extract/extraction.ts'
import { openSourceFile, problemOfName, reasonOf, type SourceFile } from './open-source-file.ts'
import { problemOfId } from './check-id.ts'
import type { ReadContext, RecordPlace } from './read-context.ts'
import { readCsv } from './read-csv.ts'
import { readJson } from './read-json.ts'
import { readJsonl } from './read-jsonl.ts'
import { readMarkdown } from './read-markdown.ts'
import { readWholeFile } from './read-whole-file.ts'
import type { Reading, SourceText } from './source-text.ts'

type Format = 'markdown' | 'text' | ExtractionKind | 'json' | 'jsonl' | 'csv'

const formats: ReadonlyMap<string, Format> = new Map([
  ['.md', 'markdown'],
  ['.markdown', 'markdown'],
  ['.txt', 'text'],
  ['.html', 'html'],
  ['.htm', 'html'],
  ['.pdf', 'pdf'],
  ['.docx', 'docx'],
  ['.json', 'json'],
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.csv', 'csv']
])

export const readableExtensions: readonly string[] = [...formats.keys()]

const streamChunkBytes = 262_144

/**
 * Reads one file below a root. Whatever is wrong with it is a reading of its own; only the signal is thrown.
 * @param rootDevice - device of the root, to tell what lies below a mount.
 */
export async function* readFile(
  root: string,
  path: string,
  rootDevice: number,
  context: ReadContext
): AsyncGenerator<Reading> {
  const extension = posix.extname(path).toLowerCase()
  const format = formats.get(extension)
  if (format === undefined) {
    // A pipe or device is named whatever it is called; a picture is merely not read.
    const problem = await problemOfName(root, path)
    yield problem === undefined ? { kind: 'skipped', extension } : { kind: 'rejected', path, reason: problem }
    return
  }
  const opening = await openSourceFile(root, path)
  if (opening === undefined) return
  if ('reason' in opening) {
    yield { kind: 'rejected', path, reason: opening.reason, again: true }
    return
  }
  const { file } = opening
  try {
    const place = { path, modifiedMs: file.modifiedMs, elsewhere: file.device !== rootDevice }
    yield* readFormat(format, file, place, context)
  } catch (error) {
    context.signal.throwIfAborted()
    yield { kind: 'rejected', path, reason: reasonOf(error), again: true }
  } finally {
    await file.handle.close()
  }
}

async function* readFormat(
  format: Format,
  file: SourceFile,
  place: RecordPlace,
  context: ReadContext
): AsyncGenerator<Reading> {
  if (isStreamed(format) && file.sizeBytes === 0) {
    yield { kind: 'rejected', path: place.path, reason: 'empty', empty: true }
    return
  }
  if (format === 'jsonl') {
    yield* readJsonl(streamOf(file, context.signal), place, context.maxBytes)
    return
  }
  if (format === 'csv') {
    yield* readCsv(streamOf(file, context.signal), place, context.csv, context.maxBytes)
    return
  }
  const bytes = await readWholeFile(file, context.maxBytes, context.signal)
  if (bytes === undefined) {
    const reason = `oversized: more than ${context.maxBytes} bytes (--max-file-mb)`
    yield { kind: 'rejected', path: place.path, reason }
  } else if (bytes.length === 0) {
    yield { kind: 'rejected', path: place.path, reason: 'empty', empty: true }
  } else if (format === 'json') yield* readJson(bytes, place)
  else yield await readDocument(format, bytes, place, context)
}

function isStreamed(format: Format): boolean {
  return format === 'jsonl' || format === 'csv'
}

function streamOf(file: SourceFile, signal: AbortSignal): Readable {
  return file.handle.createReadStream({ autoClose: false, highWaterMark: streamChunkBytes, signal })
}

async function readDocument(
  format: 'markdown' | 'text' | ExtractionKind,
  bytes: Buffer,
  { path, modifiedMs, elsewhere }: RecordPlace,
  context: ReadContext
): Promise<Reading> {
  const sourceId = context.idPrefix + path
  const problem = problemOfId(sourceId)
  if (problem !== undefined) return { kind: 'rejected', path, reason: problem }
  const bytesRead = bytes.length
  const content = await contentOf(format, bytes, context)
  if ('reason' in content) return { kind: 'rejected', path, reason: content.reason }

  const { title, text, frontMatter } = content
  const metadata = { path, type: format, ...(frontMatter === undefined ? {} : { frontMatter }) }
  const source: SourceText = {
    sourceId,
    path,
    text,
    title: title.trim() === '' ? posix.basename(path) : title,
    metadata,
    modifiedMs,
    given: undefined,
    named: false,
    markdown: format === 'markdown',
    deleted: false,
    elsewhere
  }
  return { kind: 'text', text: source, bytes: bytesRead }
}

interface Content {
  readonly title: string
  readonly text: string
  readonly frontMatter?: Readonly<Record<string, unknown>> | undefined
}

async function contentOf(
  format: 'markdown' | 'text' | ExtractionKind,
  bytes: Buffer,
  { extractor, signal }: ReadContext
): Promise<Content | { readonly reason: string }> {
  if (format !== 'markdown' && format !== 'text') return extractor.extract(format, bytes, signal)
  const decoded = decodeText(bytes)
  if ('reason' in decoded) return decoded
  if (format === 'text') return { title: '', text: decoded.text }
  const { title = '', text, frontMatter } = readMarkdown(decoded.text)
  return { title, text, frontMatter }
}
