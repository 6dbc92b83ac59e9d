import { textHash } from '@pointsman/core/runtime/identity'
import type { Clock } from '@pointsman/core/ports/clock'
import { countTokens } from './count-tokens.ts'
import type { IngestOptions } from './ingest-options.ts'
import { normaliseText, normaliseTitle } from './normalise-text.ts'
import { type Chunk, digestOf } from './plan-emission.ts'
import { splitText } from './split-text.ts'
import type { SourceText } from './source-text.ts'

/** What one input of the provider may hold. */
const maxInputTokens = 8191

/** Of a record, so that it stays below the broker's limit of a megabyte. */
const maxRecordBytes = 900_000
const maxMetadataBytes = 65_536

/** The longest token of cl100k_base. */
const maxTokenLength = 128

/** Counting takes time with the square of the length of a word, and no word is this long. */
const endlessWord = /\p{L}{20000}|[^\s\p{L}\p{N}]{20000}|\s{20000}/u
const endlessFrom = 20_000

/** A source in the form in which it is compared with what was sent. */
export interface PreparedText {
  readonly source: SourceText
  readonly title: string
  readonly text: string
  readonly textHash: string
  readonly metadataKey: string
  readonly metadata: string
  readonly content: string
}

const deletedContent = digestOf('deleted')

export function prepareText(
  source: SourceText,
  options: IngestOptions
): PreparedText | { readonly reason: string } {
  if (source.deleted) {
    return {
      source,
      title: '',
      text: '',
      textHash: '',
      metadataKey: '',
      metadata: '{}',
      content: deletedContent
    }
  }
  const text = normaliseText(source.text)
  if (text === '') return { reason: 'no text in it' }
  const hash = textHash(text)
  const title = normaliseTitle(source.title)
  const metadataKey = JSON.stringify(source.metadata)
  if (Buffer.byteLength(metadataKey) > maxMetadataBytes) {
    return { reason: `the metadata is longer than ${maxMetadataBytes} bytes` }
  }
  // The time of modification is shown, but a file that was only touched is the same file.
  const modified = source.named ? {} : { modified: new Date(source.modifiedMs).toISOString() }
  const metadata = source.named ? metadataKey : JSON.stringify({ ...source.metadata, ...modified })
  const shape = options.split ? [options.chunkTokens, options.overlapTokens, source.markdown] : []
  return {
    source,
    title,
    text,
    textHash: hash,
    metadataKey,
    metadata,
    content: digestOf(hash, title, metadataKey, shape)
  }
}

/** @returns the chunks of a text; none for one that is deleted. */
export async function chunksOf(
  prepared: PreparedText,
  options: IngestOptions,
  clock: Clock,
  signal: AbortSignal
): Promise<readonly Chunk[] | { readonly reason: string }> {
  const { source, metadata } = prepared
  if (source.deleted) return []
  const chunks = options.split ? await split(prepared, options, clock, signal) : whole(prepared)
  if ('reason' in chunks) return chunks
  for (const chunk of chunks) {
    if (chunk.tokens > maxInputTokens) return { reason: `longer than ${maxInputTokens} tokens` }
    if (Buffer.byteLength(chunk.text) + Buffer.byteLength(metadata) > maxRecordBytes) {
      return { reason: `longer than ${maxRecordBytes} bytes` }
    }
  }
  return chunks
}

async function split(
  { text, textHash: hash, source }: PreparedText,
  options: IngestOptions,
  clock: Clock,
  signal: AbortSignal
): Promise<readonly Chunk[]> {
  // A text of so many characters is not counted whole only to learn that it must be split.
  if (text.length <= options.chunkTokens * 24) {
    const tokens = countTokens(text)
    if (tokens <= options.chunkTokens) return [{ text, textHash: hash, tokens }]
  }
  return splitText(text, source.markdown, options, clock, signal)
}

function whole({ text, textHash: hash }: PreparedText): readonly Chunk[] | { readonly reason: string } {
  const tooLong = { reason: `longer than ${maxInputTokens} tokens, and --no-split was asked for` }
  if (text.length > maxInputTokens * maxTokenLength) return tooLong
  if (text.length >= endlessFrom && endlessWord.test(text))
    return { reason: 'a word of more than 20000 characters' }
  const tokens = countTokens(text)
  return tokens > maxInputTokens ? tooLong : [{ text, textHash: hash, tokens }]
}
