// Identities by hash. Each is a SHA-256 over one canonical string with separators and a version, so that no two
// meanings can share a value.
import { createHash, hash } from 'node:crypto'
import type { Document } from '../domain/document.ts'
import type { Digest, EmbeddingSpec, ObjectId } from '../domain/identity.ts'

/** Raise it when the text that is sent to the provider is prepared differently: every vector is then paid for anew. */
const preparationVersion = 1

const digestHexDigits = 24

function digest(canonical: string): Digest {
  return hash('sha256', canonical, 'hex').slice(0, digestHexDigits) as Digest
}

/** SHA-256 of the text's UTF-8 bytes, 64 hex digits. */
export function textHash(text: string): string {
  return hash('sha256', text, 'hex')
}

/** Equal key = equal vector = pay once. */
export function paymentKey(spec: EmbeddingSpec, hashOfText: string): Digest {
  return digest(`pointsman:payment:${preparationVersion}\n${spec.model}\n${spec.dimensions}\n${hashOfText}`)
}

/** The ledger's name of a document. */
export function docKey(docId: string): Digest {
  return digest(`pointsman:document\n${docId}`)
}

/** 32 bits over all that an object shows besides text and version. */
export function metadataHash(document: Document): number {
  const { sourceId, chunk, chunks, title, metadata } = document
  const canonical = JSON.stringify([sourceId, chunk, chunks, title, metadata])
  return createHash('sha256').update(canonical).digest().readUInt32BE(0)
}

/** A UUID (version 8, RFC 9562) of one content generation of a document. */
export function objectId(docId: string, content: Digest, generation: number): ObjectId {
  const hex = hash('sha256', `pointsman:object\n${content}\n${generation}\n${docId}`, 'hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16)
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  return id as ObjectId
}
