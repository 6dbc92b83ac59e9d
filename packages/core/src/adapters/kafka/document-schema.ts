// The Avro schema of a Document: the value of a record in the `documents` topic. It may grow by fields with defaults;
// a field is never renamed or given another type (the registry checks: BACKWARD).
import avro from 'avsc'
import type { Document } from '../../domain/document.ts'

export const documentSchema = {
  type: 'record',
  name: 'Document',
  namespace: 'pointsman',
  doc: 'What gets one vector: a whole text, or one chunk of it. The key of the record is docId.',
  fields: [
    { name: 'docId', type: 'string', doc: 'Identity; decides the partition.' },
    { name: 'sourceId', type: 'string', default: '', doc: 'What it came from, e.g. a relative path.' },
    { name: 'version', type: 'long', doc: '0 to 2^53-1, rising per docId; a file has its mtime in ms.' },
    { name: 'chunk', type: 'int', default: 0, doc: 'Position in its source, from 0.' },
    { name: 'chunks', type: 'int', default: 1, doc: 'How many chunks its source has.' },
    { name: 'title', type: 'string', default: '' },
    { name: 'text', type: 'string', doc: 'Empty for a tombstone.' },
    {
      name: 'textHash',
      type: { type: 'fixed', name: 'Sha256', size: 32 },
      doc: 'SHA-256 of the UTF-8 bytes of text.'
    },
    { name: 'tokens', type: 'int', default: 0, doc: 'cl100k_base tokens of text.' },
    // No default: Apicurio 3.3 takes no schema with the default '{}'.
    { name: 'metadata', type: 'string', doc: 'A JSON object.' },
    { name: 'deleted', type: 'boolean', default: false, doc: 'A tombstone: everything of docId is to go.' }
  ]
} satisfies avro.Schema

// Numbers that JavaScript cannot hold are refused by avsc, in either direction.
export const documentType = avro.Type.forSchema(documentSchema)

/** A Document as Avro has it. */
export interface StoredDocument extends Omit<Document, 'textHash'> {
  readonly textHash: Buffer
}

export function storedOf(document: Document): StoredDocument {
  return { ...document, textHash: Buffer.from(document.textHash, 'hex') }
}

/** The record class of avsc shows its fields as they are in the schema: no look at each is needed. */
export function isStored(value: unknown): value is StoredDocument {
  return typeof value === 'object' && value !== null && 'docId' in value && 'textHash' in value
}

/** What Avro's types allow and a Document does not; undefined when there is nothing. */
export function flawOf(stored: StoredDocument): string | undefined {
  const { docId, version, chunk, chunks, tokens, metadata } = stored
  if (docId === '') return 'docId is empty'
  if (version < 0) return `version is ${version}`
  if (chunk < 0 || chunks <= chunk) return `chunk ${chunk} of ${chunks}`
  if (tokens < 0) return `tokens is ${tokens}`
  if (!metadata.startsWith('{') || !metadata.endsWith('}')) return 'metadata is not a JSON object'
  return undefined
}
