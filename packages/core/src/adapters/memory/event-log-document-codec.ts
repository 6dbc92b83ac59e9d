// Documents as JSON with a schema number: what the Avro codec does, without a registry.
import { z } from 'zod'
import type { Document } from '../../domain/document.ts'
import type { Decoded, DocumentCodec, LogRecord } from '../../ports/event-log.ts'
import { textHash } from '../../runtime/identity.ts'
import type { MemoryLog } from './event-log.ts'

const schemaNumber = 1
const whole = z.number().int().nonnegative()

const stored = z.object({
  docId: z.string().min(1),
  sourceId: z.string(),
  version: whole,
  chunk: whole,
  chunks: whole,
  title: z.string(),
  text: z.string(),
  textHash: z.string().regex(/^[0-9a-f]{64}$/),
  tokens: whole,
  metadata: z.string(),
  deleted: z.boolean()
})

export class MemoryDocumentCodec implements DocumentCodec {
  readonly #log: MemoryLog

  constructor(log: MemoryLog) {
    this.#log = log
  }

  async prepare(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#log.requireUp('registry')
  }

  async encode(document: Document): Promise<Uint8Array> {
    return new TextEncoder().encode(JSON.stringify({ schema: schemaNumber, document }))
  }

  async decode(record: LogRecord): Promise<Decoded> {
    if (record.value === undefined) return tombstone(record)
    const parsed = z
      .object({ schema: whole, document: z.unknown() })
      .safeParse(parseJson(new TextDecoder().decode(record.value)))
    if (!parsed.success) return { kind: 'unreadable', reason: 'not a document of this log' }
    const { schema, document } = parsed.data
    if (schema !== schemaNumber) {
      this.#log.requireUp('registry')
      return { kind: 'unknown-schema', reason: `schema ${schema} is unknown` }
    }
    const read = stored.safeParse(document)
    if (!read.success) return { kind: 'unreadable', reason: z.prettifyError(read.error) }
    if (record.key !== undefined && record.key !== read.data.docId) {
      return { kind: 'unreadable', reason: 'the key of the record is not its docId' }
    }
    return { kind: 'document', document: read.data }
  }
}

function tombstone({ key, timestampMs }: LogRecord): Decoded {
  if (key === undefined || key === '') return { kind: 'unreadable', reason: 'neither key nor value' }
  const document: Document = {
    docId: key,
    sourceId: key,
    version: timestampMs,
    chunk: 0,
    chunks: 1,
    title: '',
    text: '',
    textHash: textHash(''),
    tokens: 0,
    metadata: '{}',
    deleted: true
  }
  return { kind: 'document', document }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
