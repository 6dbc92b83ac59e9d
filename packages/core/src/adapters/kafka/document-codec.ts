import { Failure } from '../../domain/failure.ts'
import type { Document } from '../../domain/document.ts'
import type { Decoded, DocumentCodec, LogRecord } from '../../ports/event-log.ts'
import { textHash } from '../../runtime/identity.ts'
import type { RegistrySettings } from '../../runtime/settings.ts'
import { documentType, flawOf, isStored, storedOf } from './document-schema.ts'
import { DocumentSchemas } from './schema-registry.ts'
import type { Reading } from './schema-registry.ts'
import { messageOf } from '../../runtime/message-of.ts'

/** Confluent's wire format: a zero, the schema's id in 4 bytes, then Avro. */
const headerBytes = 5
const emptyHash = textHash('')
const firstScratchBytes = 65_536

/** Documents as Avro, with a schema registry. One per process. */
export class KafkaDocumentCodec implements DocumentCodec {
  readonly #schemas: DocumentSchemas
  #id: Promise<number> | undefined
  #scratch = Buffer.alloc(firstScratchBytes)

  constructor(settings: RegistrySettings, topic: string) {
    this.#schemas = new DocumentSchemas(settings, topic)
  }

  async prepare(signal: AbortSignal): Promise<void> {
    await this.#register(signal)
  }

  /** @throws {Failure} `DOCUMENT_UNREADABLE` for what is no Document; as `prepare` when that has not been called. */
  async encode(document: Document): Promise<Uint8Array> {
    const id = await this.#register()
    const stored = storedOf(document)
    let flaw = flawOf(stored)
    try {
      if (flaw === undefined) return this.#write(id, stored)
    } catch (error) {
      flaw = messageOf(error)
    }
    throw new Failure('DOCUMENT_UNREADABLE', `${document.docId}: ${flaw}`)
  }

  async decode(record: LogRecord): Promise<Decoded> {
    if (record.value === undefined) return tombstone(record)
    const { buffer, byteOffset, byteLength } = record.value
    const value = Buffer.from(buffer, byteOffset, byteLength)
    if (byteLength < headerBytes || value[0] !== 0)
      return unreadable('not in the format of the schema registry')
    const id = value.readInt32BE(1)
    const reading = this.#schemas.known(id) ?? (await this.#schemas.ask(id))
    if ('unknown' in reading) return { kind: 'unknown-schema', reason: reading.unknown }
    return read(value, reading, record.key)
  }

  #register(signal?: AbortSignal): Promise<number> {
    const registering = (this.#id ??= this.#schemas.register(signal))
    registering.catch(() => {
      if (this.#id === registering) this.#id = undefined
    })
    return registering
  }

  #write(id: number, stored: object): Buffer {
    let end = documentType.encode(stored, this.#scratch, headerBytes)
    if (end < 0) {
      // Avsc answers how many bytes were missing, as a negative number.
      this.#scratch = Buffer.alloc(this.#scratch.length - end)
      end = documentType.encode(stored, this.#scratch, headerBytes)
    }
    this.#scratch[0] = 0
    this.#scratch.writeInt32BE(id, 1)
    return Buffer.from(this.#scratch.subarray(0, end))
  }
}

function read(
  value: Buffer,
  { resolver }: Exclude<Reading, { unknown: string }>,
  key: string | undefined
): Decoded {
  try {
    const stored: unknown = documentType.fromBuffer(value.subarray(headerBytes), resolver)
    if (!isStored(stored)) return unreadable('not a document')
    const flaw = flawOf(stored)
    if (flaw !== undefined) return unreadable(flaw)
    if (key !== undefined && key !== stored.docId) return unreadable('the key of the record is not its docId')
    const document: Document = {
      docId: stored.docId,
      sourceId: stored.sourceId,
      version: stored.version,
      chunk: stored.chunk,
      chunks: stored.chunks,
      title: stored.title,
      text: stored.text,
      textHash: stored.textHash.toString('hex'),
      tokens: stored.tokens,
      metadata: stored.metadata,
      deleted: stored.deleted
    }
    return { kind: 'document', document }
  } catch (error) {
    return unreadable(messageOf(error))
  }
}

function tombstone({ key, timestampMs }: LogRecord): Decoded {
  if (key === undefined || key === '') return unreadable('neither key nor value')
  const document: Document = {
    docId: key,
    sourceId: key,
    version: Math.max(timestampMs, 0),
    chunk: 0,
    chunks: 1,
    title: '',
    text: '',
    textHash: emptyHash,
    tokens: 0,
    metadata: '{}',
    deleted: true
  }
  return { kind: 'document', document }
}

function unreadable(reason: string): Decoded {
  return { kind: 'unreadable', reason }
}
