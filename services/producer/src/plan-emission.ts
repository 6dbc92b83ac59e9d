import { hash } from 'node:crypto'
import type { Document } from '@pointsman/core/domain/document'
import { textHash } from '@pointsman/core/runtime/identity'
import type { Entry } from './entry.ts'

/** Raise it when the same source is split or prepared differently: everything is compared chunk by chunk once. */
const producerVersion = 1

const digestHexDigits = 16

export interface Chunk {
  readonly text: string
  readonly textHash: string
  readonly tokens: number
}

/** A source as it is now. No chunks: it is gone. */
export interface SourceState {
  readonly id: string
  readonly origin: string
  readonly path: string
  readonly named: boolean
  readonly elsewhere: boolean
  readonly given: number | undefined
  /** The version wanted, when nothing newer was sent before. */
  readonly version: number
  readonly content: string
  readonly title: string
  /** What identifies the metadata; what is sent may say more, such as the time of modification. */
  readonly metadataKey: string
  readonly metadata: string
  readonly chunks: readonly Chunk[]
}

/**
 * - `nothing`  what is in the log is what the source says; `after` may differ from what is remembered.
 * - `emit`     write `intent`, send `documents`, then write `after`.
 */
export type Emission =
  | { readonly kind: 'nothing'; readonly after: Entry }
  | {
      readonly kind: 'emit'
      /** Version of the entry that this was planned on; undefined when there was none. */
      readonly from: number | undefined
      readonly intent: Entry
      readonly after: Entry
      readonly documents: readonly Document[]
    }

export function digestOf(...parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify([producerVersion, ...parts]), 'hex').slice(0, digestHexDigits)
}

/**
 * Decides what to send for one source. Versions rise strictly per source, and so per document, whatever its clock
 * does; only a repetition of what may have been sent already keeps its version, so that the log sees the same record.
 */
export function planEmission(before: Entry | undefined, now: SourceState): Emission {
  const digests = now.chunks.map((chunk, i) =>
    digestOf(chunk.textHash, now.title, now.metadataKey, i, now.chunks.length)
  )
  const whole = digests.length === 1
  const parts = whole ? 0 : digests.length
  const isRepetition = before !== undefined && !before.acked && before.content === now.content
  const version =
    before === undefined
      ? now.version
      : isRepetition
        ? before.version
        : Math.max(now.version, before.version + 1)

  const documents: Document[] = []
  for (const [i, chunk] of now.chunks.entries()) {
    if (before?.chunks[i] === digests[i]) continue
    documents.push(documentOf(now, chunk, i, version))
  }
  for (const docId of vanished(before, now, whole, parts)) documents.push(tombstone(now, docId, version))

  const { id, origin, path, named, elsewhere, given, content } = now
  const after = {
    id,
    origin,
    path,
    named,
    elsewhere,
    given,
    version,
    content,
    acked: true,
    chunks: digests,
    whole,
    parts
  }
  if (documents.length === 0)
    return { kind: 'nothing', after: { ...after, version: before?.version ?? version } }
  const intent = {
    ...after,
    acked: false,
    chunks: [],
    whole: whole || before?.whole === true,
    parts: Math.max(parts, before?.parts ?? 0)
  }
  return { kind: 'emit', from: before?.version, intent, after, documents }
}

function documentOf(now: SourceState, chunk: Chunk, index: number, version: number): Document {
  const chunks = now.chunks.length
  return {
    docId: chunks === 1 ? now.id : `${now.id}#${index}`,
    sourceId: now.id,
    version,
    chunk: index,
    chunks,
    title: now.title,
    text: chunk.text,
    textHash: chunk.textHash,
    tokens: chunk.tokens,
    metadata: now.metadata,
    deleted: false
  }
}

function* vanished(
  before: Entry | undefined,
  now: SourceState,
  whole: boolean,
  parts: number
): Generator<string> {
  // A deletion of something never heard of is passed on: what was remembered may have been lost.
  if ((before === undefined && now.chunks.length === 0) || (before?.whole === true && !whole)) yield now.id
  for (let i = parts; i < (before?.parts ?? 0); i += 1) yield `${now.id}#${i}`
}

const emptyTextHash = textHash('')

function tombstone(now: SourceState, docId: string, version: number): Document {
  return {
    docId,
    sourceId: now.id,
    version,
    chunk: 0,
    chunks: 1,
    title: '',
    text: '',
    textHash: emptyTextHash,
    tokens: 0,
    metadata: '{}',
    deleted: true
  }
}
