import type { Digest } from '../../domain/identity.ts'
import type { Action, Admission, AdmitReply, Candidate, Part, Verdict } from '../../ports/ledger.ts'
import type { MemoryLedgerState, ObligationRecord } from './ledger-state.ts'
import { newManifest } from './ledger-manifests.ts'
import { noteTakeover } from './ledger-switch.ts'
import { endIfEmpty, partKey, shortContent } from './ledger-state.ts'

/** Where new parts go. */
interface Takers {
  readonly request: ObligationRecord
  /** What has to be paid for, if not to the request; made when it is first asked for. */
  readonly manifest: (() => ObligationRecord) | undefined
}

export function admit(state: MemoryLedgerState, admission: Admission, nowMs: number): AdmitReply {
  const known = state.obligations.get(admission.obligation)
  if (known?.answer !== undefined && known.owner === admission.owner) {
    return { kind: 'admitted', verdicts: known.answer }
  }
  const refusal = refuse(state, admission)
  if (refusal !== undefined) return refusal
  if (known !== undefined) throw new RangeError(`obligation ${admission.obligation} is in use`)

  const record = newRequest(state, admission, nowMs)
  state.obligations.set(record.id, record)
  state.nextObligation += 1
  const manifestId = admission.manifest
  const takers: Takers = {
    request: record,
    manifest:
      manifestId === undefined
        ? undefined
        : () =>
            state.obligations.get(manifestId) ??
            newManifest(state, manifestId, admission.owner, { sinceMs: nowMs, reason: '' })
  }
  const verdicts = admission.slices.map(({ partition, to, candidates }) => {
    const answers = candidates.map(candidate => admitOne(state, takers, partition, candidate))
    const partitionRecord = state.partitions.get(partition)
    if (partitionRecord !== undefined) partitionRecord.frontier = to
    return answers
  })
  noteTakeover(
    state,
    admission.slices.map(({ partition }) => partition),
    nowMs
  )
  record.answer = verdicts
  endIfEmpty(state, record)
  return { kind: 'admitted', verdicts }
}

function refuse(state: MemoryLedgerState, admission: Admission): AdmitReply | undefined {
  const { epoch, lane, owner, slices } = admission
  const inLane = slices.every(slice => state.partitions.get(slice.partition)?.lane === lane)
  if (epoch !== state.epoch || !inLane) return { kind: 'fenced', epoch: state.epoch } // I8
  if (state.draining !== undefined) return { kind: 'draining' }
  if (state.pause !== undefined) return { kind: 'paused', reason: state.pause.reason }
  if (!state.owners.has(owner)) return { kind: 'unregistered' }

  const frontiers = new Map<number, bigint>()
  for (const { partition, from } of slices) {
    const frontier = state.partitions.get(partition)?.frontier
    if (frontier !== undefined && frontier !== from) frontiers.set(partition, frontier)
  }
  if (frontiers.size > 0) return { kind: 'behind', frontiers } // I1
  return isClosed(state, admission) ? { kind: 'closed' } : undefined
}

function isClosed(state: MemoryLedgerState, { manifest, owner }: Admission): boolean {
  const record = manifest === undefined ? undefined : state.obligations.get(manifest)
  return record !== undefined && (record.state !== 'open' || record.owner !== owner)
}

function newRequest(state: MemoryLedgerState, admission: Admission, nowMs: number): ObligationRecord {
  return {
    id: admission.obligation,
    number: state.nextObligation,
    rank: state.nextObligation,
    sinceMs: nowMs,
    movedBy: undefined,
    kind: 'request',
    owner: admission.owner,
    state: 'admitted',
    attempts: 0,
    inputsAtRisk: 0,
    notBeforeMs: 0,
    reason: '',
    job: undefined,
    answer: undefined,
    parts: new Map(),
    joined: new Set()
  }
}

function admitOne(
  state: MemoryLedgerState,
  takers: Takers,
  partition: number,
  candidate: Candidate
): Verdict {
  const verdict = judge(state, takers, partition, candidate)
  state.counts.admitted += 1
  if (verdict.kind === 'part') state.counts[verdict.action] += 1
  else state.counts[verdict.kind === 'elsewhere' ? 'share' : verdict.kind] += 1
  return verdict
}

function judge(state: MemoryLedgerState, takers: Takers, partition: number, candidate: Candidate): Verdict {
  const { docKey, version, content, metadataHash } = candidate
  const latest = state.latest.get(docKey)
  if (latest !== undefined && latest.version > version) return { kind: 'superseded' }

  const sameContent = latest !== undefined && latest.content === shortContent(content)
  if (sameContent && (latest.status === 'open' || latest.status === 'indexed')) {
    if (content === undefined || latest.metadataHash === metadataHash) {
      state.latest.set(docKey, { ...latest, version })
      return { kind: latest.status === 'open' ? 'covered' : 'unchanged' }
    }
  }

  // Other metadata too have a generation of their own: what is written late can then never overwrite them.
  const generation = latest === undefined ? version : Math.max(version, latest.generation + 1)
  const short = shortContent(content)
  state.latest.set(docKey, { version, generation, content: short, metadataHash, status: 'open' })
  const replaces = latest !== undefined
  const part = { ...partOf(candidate, partition), generation, replaces }

  if (content === undefined) {
    addPart(state, takers.request, { ...part, action: 'delete' })
    return { kind: 'part', action: 'delete', generation, replaces }
  }
  const { action, joins, payer } = obtain(state, takers, content)
  addPart(state, payer, { ...part, action })
  if (!joins) return { kind: 'part', action, generation, replaces }
  payer.joined.add(partKey(part))
  return { kind: 'elsewhere' }
}

function partOf(candidate: Candidate, partition: number): Omit<Part, 'action' | 'generation' | 'replaces'> {
  const { offset, docKey, content, tokens } = candidate
  return { partition, offset, docKey, content, tokens, failures: 0 }
}

interface Obtaining {
  readonly action: Action
  readonly payer: ObligationRecord
  /** It was there before: its owner serves the part. */
  readonly joins: boolean
}

/** Who obtains the vector, and how. Nobody is asked to pay for what is being paid for (I5). */
function obtain(state: MemoryLedgerState, { request, manifest }: Takers, content: Digest): Obtaining {
  const paying = state.paying.get(content)
  const payer = paying === undefined ? undefined : state.obligations.get(paying.obligation)
  if (paying !== undefined && payer !== undefined) {
    state.paying.set(content, { ...paying, parts: paying.parts + 1 })
    return { action: 'share', payer, joins: payer !== request }
  }
  const action = state.processed.has(content) ? 'copy' : 'embed'
  const promiser = action === 'embed' ? promiserOf(state, content) : undefined
  const taker = promiser ?? (action === 'embed' && manifest !== undefined ? manifest() : request)
  state.paying.set(content, { obligation: taker.id, parts: 1 })
  return { action, payer: taker, joins: promiser !== undefined }
}

/** The manifest whose job will bring this vector. */
function promiserOf(
  { obligations, promised, promising }: MemoryLedgerState,
  content: Digest
): ObligationRecord | undefined {
  const id = promised.get(content)
  return id !== undefined && promising.has(id) ? obligations.get(id) : undefined
}

function addPart(state: MemoryLedgerState, obligation: ObligationRecord, part: Part): void {
  obligation.parts.set(partKey(part), part)
  state.partitions.get(part.partition)?.open.add(part.offset)
}
