// A ledger that was lost, and what it is told: short words for the contract of the rebuild.
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Job } from '@pointsman/core/ports/job'
import type { AdmitReply, Latest, Ledger, Verdict } from '@pointsman/core/ports/ledger'
import type {
  AwaitedDocument,
  ExpectedDocument,
  RebuiltLanes,
  RestoredObject
} from '@pointsman/core/ports/ledger-rebuild'
import { candidateOf, digestOf, hourMs } from './ledger-scene.ts'

export const manifest = '1.1.m' as ObligationId
export const job: Job = {
  creates: 1,
  lines: 2,
  bytes: 0,
  tokens: 0,
  inputFileId: 'file',
  batchId: 'batch',
  outputFileId: '',
  errorFileId: '',
  status: 'in_progress',
  completed: 0,
  failed: 0,
  submittedMs: 1,
  progressMs: 1,
  endedMs: 0,
  notBeforeMs: 0,
  paidTokens: 0,
  order: ''
}
export const lanes: RebuiltLanes = {
  epoch: 7,
  defaultLane: 'batch',
  partitions: new Map([[0, { lane: 'realtime', frontier: 10n }]])
}

export function awaited(doc: string, text: string, more: Partial<AwaitedDocument> = {}): AwaitedDocument {
  return {
    partition: 0,
    offset: 12n,
    docKey: digestOf(doc),
    version: 5,
    content: digestOf(text),
    metadataHash: 1,
    tokens: 3,
    ...more
  }
}

export function expected(doc: string, text: string | undefined, version: number): ExpectedDocument {
  return { docKey: digestOf(doc), version, content: text === undefined ? undefined : digestOf(text) }
}

export function object(doc: string, text: string, version: number, generation = version): RestoredObject {
  return { docKey: digestOf(doc), content: digestOf(text), version, generation }
}

export async function latestOf(ledger: Ledger, doc: string): Promise<Latest | undefined> {
  return (await ledger.latest([digestOf(doc)]))[0]
}

/** Admits one document at an offset of partition 0, as an embedder does. */
export async function admit(
  ledger: Ledger,
  offset: bigint,
  given: { readonly doc: string; readonly text?: string; readonly version: number }
): Promise<Verdict | AdmitReply | undefined> {
  const { owner } = await ledger.register({ instance: 'one', service: 'embedder-realtime', leaseMs: hourMs })
  const slices = [{ partition: 0, from: offset, to: offset + 1n, candidates: [candidateOf(given, offset)] }]
  const obligation = `${owner}.${offset}` as ObligationId
  const reply = await ledger.admit({ epoch: 7, lane: 'realtime', owner, obligation, slices })
  return reply.kind === 'admitted' ? reply.verdicts[0]?.[0] : reply
}
