// A record of the log becomes a candidate for admission, or the reason why it can never be one.
import type { Document, LoggedDocument } from '../domain/document.ts'
import type { EmbeddingSpec } from '../domain/identity.ts'
import type { DocumentCodec, LogRecord } from '../ports/event-log.ts'
import type { Candidate } from '../ports/ledger.ts'
import { docKey, metadataHash, paymentKey, textHash } from './identity.ts'

/** One below the provider's limit of 8192, which counts differ by. */
const maxInputTokens = 8191
const maxVersion = Number.MAX_SAFE_INTEGER

/**
 * - `candidate` may be admitted.
 * - `reject`    dead-letter the record, with this reason.
 * - `park`      the partition stops here until the registry knows the schema.
 */
export type Prepared =
  | { readonly kind: 'candidate'; readonly candidate: Candidate; readonly logged: LoggedDocument }
  | { readonly kind: 'reject' | 'park'; readonly reason: string }

/** @throws {Failure} `REGISTRY_UNAVAILABLE`: ask again later. */
export async function prepareRecord(
  record: LogRecord,
  codec: DocumentCodec,
  spec: EmbeddingSpec
): Promise<Prepared> {
  const decoded = await codec.decode(record)
  if (decoded.kind === 'unreadable') return { kind: 'reject', reason: decoded.reason }
  if (decoded.kind === 'unknown-schema') return { kind: 'park', reason: decoded.reason }

  const { document } = decoded
  const { deleted, docId, text, tokens, version } = document
  if (docId === '') return { kind: 'reject', reason: 'the document has no id' }
  if (!Number.isSafeInteger(version) || version < 0) {
    return { kind: 'reject', reason: `version ${version} is not an integer from 0 to ${maxVersion}` }
  }
  if (!deleted) {
    if (text.trim() === '') return { kind: 'reject', reason: 'the text is empty' }
    if (!(tokens > 0 && tokens <= maxInputTokens)) {
      return { kind: 'reject', reason: `${tokens} tokens: an input has 1 to ${maxInputTokens}` }
    }
    const flaw = flawOf(document)
    if (flaw !== undefined) return { kind: 'reject', reason: flaw }
  }

  const { offset, partition, timestampMs } = record
  return {
    kind: 'candidate',
    logged: { partition, offset, timestampMs, document },
    candidate: {
      offset,
      docKey: docKey(docId),
      version,
      content: deleted ? undefined : paymentKey(spec, document.textHash),
      metadataHash: metadataHash(document),
      tokens: deleted ? 0 : tokens
    }
  }
}

/** What keeps a text from being embedded as it is: a vector of another text is worse than none. */
function flawOf({ text, textHash: told }: Document): string | undefined {
  if (text.includes('\0')) return 'the text holds a NUL character'
  if (!text.isWellFormed()) return 'the text holds lone surrogates: it is not valid Unicode'
  if (textHash(text) === told) return undefined
  // What was no valid UTF-8 in the log has become a replacement character by now.
  return text.includes('\ufffd')
    ? 'the text does not match its hash: it is not valid UTF-8'
    : 'the text does not match its hash'
}
