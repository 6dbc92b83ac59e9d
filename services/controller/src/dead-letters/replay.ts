import type { DeadLetters, Decoded, DocumentCodec, StoredDeadLetter } from '@pointsman/core/ports/event-log'
import type { Latest, Ledger } from '@pointsman/core/ports/ledger'
import type { Document } from '@pointsman/core/domain/document'
import type { EmbeddingSpec } from '@pointsman/core/domain/identity'
import { docKey, paymentKey } from '@pointsman/core/runtime/identity'
import type { ReplayReport, SkipReason } from './letter-report.ts'

export interface ReplayDeps {
  readonly letters: Pick<DeadLetters, 'replay'>
  readonly codec: Pick<DocumentCodec, 'decode'>
  readonly ledger: Pick<Ledger, 'latest'>
  readonly spec: EmbeddingSpec
}

const atOnce = 500

/**
 * Produces the records of dead letters again, where that is of use: the ledger knows their documents as dead, so it
 * admits the same content anew. What came back to life, or has a newer version, is named instead.
 * @throws {Failure} `LOG_UNAVAILABLE`: some may have been produced; the same call again sends the others, and of those
 *   sent already only what was not admitted yet, which does no harm.
 */
export async function replayLetters(
  letters: readonly StoredDeadLetter[],
  deps: ReplayDeps,
  signal: AbortSignal
): Promise<ReplayReport> {
  const wanted: { readonly letter: StoredDeadLetter; readonly document: Document }[] = []
  const skipped: ReplayReport['skipped'] = []
  const skip = ({ id, key }: StoredDeadLetter, reason: SkipReason, detail: string): void =>
    void skipped.push({ id, docId: key ?? null, reason, detail })

  for (const letter of letters) {
    const decoded = await decode(letter, deps.codec)
    if (decoded.kind === 'document') wanted.push({ letter, document: decoded.document })
    else skip(letter, 'unreadable', decoded.reason)
  }
  // Of a document that was given up again and again, one record is enough.
  const newest = new Map(wanted.map(({ letter, document }) => [contentOf(document), letter.id]))
  const sent: string[] = []
  for (let from = 0; from < wanted.length; from += atOnce) {
    const chunk = wanted.slice(from, from + atOnce)
    const latest = await deps.ledger.latest(chunk.map(({ document }) => docKey(document.docId)))
    const ids: string[] = []
    for (const [index, { letter, document }] of chunk.entries()) {
      const standing = judge(document, latest[index], deps.spec)
      const twin = newest.get(contentOf(document))
      if (standing !== undefined) skip(letter, ...standing)
      else if (twin !== undefined && twin !== letter.id)
        skip(letter, 'repeated', `the same document as letter ${twin}`)
      else ids.push(letter.id)
    }
    if (ids.length > 0) await deps.letters.replay(ids, signal)
    sent.push(...ids)
  }
  return { replayed: sent.length, sent, skipped }
}

async function decode(
  { partition, offset, key, value, atMs: timestampMs }: StoredDeadLetter,
  codec: ReplayDeps['codec']
): Promise<Decoded> {
  return await codec.decode({ partition, offset, key, value, timestampMs })
}

/** Undefined: worth sending. */
function judge(
  { version, deleted, textHash }: Document,
  latest: Latest | undefined,
  spec: EmbeddingSpec
): readonly [SkipReason, string] | undefined {
  // A ledger that does not know it takes it as new.
  if (latest === undefined || latest.version < version) return undefined
  if (latest.version > version) return ['superseded', `version ${latest.version} is newer than ${version}`]
  // The ledger keeps the last 64 of its 96 bits.
  const content = deleted ? undefined : paymentKey(spec, textHash).slice(-16)
  if (latest.content !== content) return ['superseded', `another content has taken version ${version}`]
  if (latest.status === 'dead') return undefined
  return latest.status === 'open'
    ? ['under-way', 'it was sent again before, and is in flight']
    : ['indexed', 'it was sent again before, and is in the index']
}

function contentOf({ docId, version, textHash, deleted }: Document): string {
  return `${docId}\n${version}\n${deleted ? '' : textHash}`
}
