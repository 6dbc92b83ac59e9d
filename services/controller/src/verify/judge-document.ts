import type { Latest } from '@pointsman/core/ports/ledger'
import type { ObjectHead } from '@pointsman/core/ports/vector-store'
import type { Newest, Stored } from './newest-table.ts'
import { isKeptContent } from './standing.ts'
import type { DifferenceKind } from './verify-report.ts'

export interface DocumentFacts {
  readonly newest: Newest
  readonly stored: Stored
  readonly latest: Latest | undefined
  /** The frontier has passed the newest version. */
  readonly admitted: boolean
  /** The ledger knows the payment key as processed; only asked for documents that are indexed. */
  readonly processed: boolean
  /** No obligation was open: then nothing will finish a document that is `open`. */
  readonly nothingUnderWay: boolean
}

/** How a document stands according to the ledger, as far as the log agrees. */
export type DocumentState = 'indexed' | 'deleted' | 'open' | 'unread' | 'dead' | 'expected' | 'olderThanLog'

export interface Finding {
  readonly kind: DifferenceKind
  readonly detail: string
}

export interface Verdict {
  readonly state: DocumentState
  readonly findings: readonly Finding[]
}

/** A document of the log that is not as it should be. */
export interface Suspect {
  /** In the table. */
  readonly place: number
  readonly facts: DocumentFacts
  readonly findings: readonly Finding[]
  /** Objects that the index lists, whether or not it finds them by their document; for whoever looks again. */
  readonly listed?: readonly ObjectHead[]
}

/** Compares what log, index and ledger say of one document. Pure. */
export function judgeDocument(facts: DocumentFacts): Verdict {
  const { newest, stored, latest, admitted } = facts
  if (!admitted) return { state: 'unread', findings: duplicates(stored) }
  if (latest && latest.version > newest.version) return judgeNewerThanLog(facts, latest)
  if (latest?.version === newest.version) {
    if (latest.status === 'open') return judgeOpen(facts)
    if (latest.status === 'dead') return { state: 'dead', findings: forgotten(facts, latest, 'given up') }
    if (latest.status === 'expected') return judgeExpected(facts, latest)
  }
  return newest.content === undefined ? judgeDeleted(facts) : judgeLive(facts, newest.content)
}

/** The record of what the ledger has is gone from the log: index and ledger are all there is. */
function judgeNewerThanLog({ stored }: DocumentFacts, latest: Latest): Verdict {
  const state = 'olderThanLog'
  if (latest.status !== 'indexed') return { state, findings: [] }
  if (latest.content === undefined && stored.objects > 0) {
    return {
      state,
      findings: [{ kind: 'surplus', detail: `deleted, and ${objects(stored.objects)} still there` }]
    }
  }
  if (latest.content === undefined) return { state, findings: [] }
  if (stored.objects > 0) return { state, findings: duplicates(stored) }
  const detail = `the ledger calls version ${latest.version} indexed, no object is there, and its record has expired`
  return { state, findings: [{ kind: 'missing', detail }] }
}

/** A repair, or a rebuild, has left it to be admitted again; a record ahead of A would make it `unread`. */
function judgeExpected(facts: DocumentFacts, latest: Latest): Verdict {
  const written = forgotten(facts, latest, 'to be admitted again')
  const detail = 'the ledger waits for it to be admitted again, and no record brings it'
  return { state: 'expected', findings: written.length > 0 ? written : [{ kind: 'lost', detail }] }
}

function forgotten({ stored }: DocumentFacts, { generation }: Latest, what: string): Finding[] {
  const isThere = stored.current > 0 && stored.generation === generation
  return isThere ? [{ kind: 'mismatch', detail: `the ledger calls it ${what}, yet its object is there` }] : []
}

/** Before the newest version is indexed, the object of the one before may stand beside it for a moment. */
function judgeOpen({ nothingUnderWay }: DocumentFacts): Verdict {
  const detail = 'the ledger calls it open, but nothing is under way that could finish it'
  return { state: 'open', findings: nothingUnderWay ? [{ kind: 'lost', detail }] : [] }
}

function judgeDeleted({ newest, stored, latest }: DocumentFacts): Verdict {
  const findings: Finding[] = []
  if (stored.objects > 0) {
    findings.push({ kind: 'surplus', detail: `deleted, and ${objects(stored.objects)} still there` })
  } else if (latest && latest.version < newest.version) {
    findings.push({
      kind: 'mismatch',
      detail: `the ledger knows version ${latest.version} only, not its deletion`
    })
  }
  return { state: 'deleted', findings }
}

function judgeLive(facts: DocumentFacts, content: string): Verdict {
  const { newest, stored, latest, processed } = facts
  const more = duplicates(stored)
  // Of this content in a lower version: a ledger that was rebuilt from the objects knows no more, and all is well.
  const isOfContent = latest?.status === 'indexed' && isKeptContent(latest, content)
  if (!latest || (latest.version < newest.version && !isOfContent)) {
    const knows = latest ? `knows version ${latest.version} only` : 'does not know it'
    const kind = stored.current > 0 ? 'mismatch' : 'lost'
    return { state: 'indexed', findings: [{ kind, detail: `admitted, but the ledger ${knows}` }, ...more] }
  }
  if (!isKeptContent(latest, content)) {
    return {
      state: 'indexed',
      findings: [{ kind: 'mismatch', detail: 'the ledger has another content for it' }, ...more]
    }
  }
  if (stored.objects === 0) {
    return {
      state: 'indexed',
      findings: [{ kind: 'missing', detail: 'the ledger calls it indexed, no object is there' }]
    }
  }
  return { state: 'indexed', findings: [...staleness(stored, latest), ...more, ...unprocessed(processed)] }
}

function staleness(stored: Stored, latest: Latest): Finding[] {
  if (stored.current === 0)
    return [{ kind: 'stale', detail: 'the object has the content of another version' }]
  if (stored.generation === latest.generation) return []
  const detail = `the object is of generation ${stored.generation}, the ledger says ${latest.generation}`
  return [{ kind: 'stale', detail }]
}

function unprocessed(processed: boolean): Finding[] {
  return processed
    ? []
    : [{ kind: 'mismatch', detail: 'its payment key is not among the processed: it may be paid again' }]
}

function duplicates({ objects: found }: Stored): Finding[] {
  return found > 1 ? [{ kind: 'duplicate', detail: `${found} objects instead of one` }] : []
}

function objects(count: number): string {
  return count === 1 ? 'an object is' : `${count} objects are`
}
