// Everything that the ledger in memory knows, and the few questions that all transitions ask of it.
//
//   paying   content -> the one obligation that obtains its vector, and how many of its parts wait for it.
//            Every part that needs a vector (embed, copy, share) is counted in exactly one entry.
//   promised content -> the manifest whose job will bring its vector, if that is `promising`. All go with the last promise.
//   open     the unsettled offsets of a partition, in any order: a job that was adopted may wait for one ahead of A.
import type { Digest, ObligationId, OwnerId } from '../../domain/identity.ts'
import type { Lane } from '../../domain/lane.ts'
import type { Rebuild } from '../../ports/ledger-rebuild.ts'
import type { Job } from '../../ports/job.ts'
import type {
  Handoff,
  Latest,
  LedgerCounts,
  LedgerState,
  Obligation,
  ObligationKind,
  ObligationState,
  Part,
  PastJob,
  Verdict
} from '../../ports/ledger.ts'

export interface PartitionRecord {
  lane: Lane
  frontier: bigint
  readonly open: Set<bigint>
}

export interface ObligationRecord {
  readonly id: ObligationId
  /** Order of creation. */
  readonly number: number
  /** Number of the obligation that its parts were admitted into: the age that a move hands on. */
  readonly rank: number
  readonly sinceMs: number
  readonly movedBy: { readonly owner: OwnerId; readonly from: ObligationId } | undefined
  kind: ObligationKind
  owner: OwnerId | undefined
  state: ObligationState
  attempts: number
  inputsAtRisk: number
  notBeforeMs: number
  reason: string
  /** Of a manifest only. */
  job: Job | undefined
  /** The verdicts of the admission that made it, for a caller who missed them. */
  answer: readonly (readonly Verdict[])[] | undefined
  readonly parts: Map<string, Part>
  /** Keys of parts that other obligations' admissions added, in their order. */
  readonly joined: Set<string>
}

export interface OwnerRecord {
  readonly instance: string
  readonly service: string
  leaseUntilMs: number
  readonly members: Map<string, string>
  trouble: string
  /** Members of former lives of this instance, until this life has joined their group. */
  readonly ghosts: Map<string, string>
}

export interface MemoryLedgerState {
  ledgerId: string
  epoch: number
  draining: LedgerState['draining']
  /** Documents in the manifests that the drain has released. */
  drained: number
  /** Switches up to this epoch were aborted, if they were not made. */
  aborted: number
  pause: LedgerState['pause']
  defaultLane: Lane
  handoff: Handoff | undefined
  rebuild: Rebuild | undefined
  nextOwner: number
  nextObligation: number
  readonly partitions: Map<number, PartitionRecord>
  readonly latest: Map<Digest, Latest>
  readonly processed: Set<Digest>
  readonly paying: Map<Digest, { readonly obligation: ObligationId; readonly parts: number }>
  readonly promised: Map<Digest, ObligationId>
  readonly promising: Set<ObligationId>
  readonly obligations: Map<ObligationId, ObligationRecord>
  readonly owners: Map<OwnerId, OwnerRecord>
  /** The latest first. */
  pastJobs: readonly PastJob[]
  readonly counts: { -readonly [Name in Exclude<keyof LedgerCounts, 'processed'>]: number }
}

export function newLedgerState(ledgerId: string, defaultLane: Lane): MemoryLedgerState {
  return {
    ledgerId,
    epoch: 1,
    draining: undefined,
    drained: 0,
    aborted: 0,
    pause: undefined,
    defaultLane,
    handoff: undefined,
    rebuild: undefined,
    nextOwner: 1,
    nextObligation: 1,
    partitions: new Map(),
    latest: new Map(),
    processed: new Set(),
    paying: new Map(),
    promised: new Map(),
    promising: new Set(),
    obligations: new Map(),
    owners: new Map(),
    pastJobs: [],
    counts: {
      admitted: 0,
      unchanged: 0,
      covered: 0,
      superseded: 0,
      embed: 0,
      copy: 0,
      share: 0,
      delete: 0,
      indexed: 0,
      deleted: 0,
      skipped: 0,
      dead: 0,
      paidTokens: 0,
      necessaryTokens: 0,
      jobs: 0
    }
  }
}

export function partKey({
  partition,
  offset
}: {
  readonly partition: number
  readonly offset: bigint
}): string {
  return `${partition}:${offset}`
}

/** The partition, made when it is not known: with nothing admitted, in the default lane. */
export function partitionOf(state: MemoryLedgerState, partition: number): PartitionRecord {
  const known = state.partitions.get(partition)
  if (known !== undefined) return known
  const record = { lane: state.defaultLane, frontier: 0n, open: new Set<bigint>() }
  state.partitions.set(partition, record)
  return record
}

/** W: the lowest unsettled offset, if it is below A. */
export function watermarkOf({ frontier, open }: PartitionRecord): bigint {
  let lowest = frontier
  for (const offset of open) if (offset < lowest) lowest = offset
  return lowest
}

/** The 64 bits of a payment key that `latest` keeps. */
export function shortContent(content: Digest | undefined): string | undefined {
  return content?.slice(8)
}

/** A part that needs a vector, and so is counted in `paying`. */
export function needsVector(part: Part): part is Part & { readonly content: Digest } {
  return part.content !== undefined
}

/** How `latest` of its document stands to a part: `names` it, or a `newer` or an `older` content, or another of its rank. */
export function compareLatest(latest: Latest | undefined, part: Part): 'names' | 'newer' | 'older' | 'other' {
  if (latest === undefined || latest.generation < part.generation) return 'older'
  if (latest.generation > part.generation) return 'newer'
  return latest.content === shortContent(part.content) ? 'names' : 'other'
}

export function sortedParts(parts: Iterable<Part>): Part[] {
  return [...parts].sort((a, b) => a.partition - b.partition || (a.offset < b.offset ? -1 : 1))
}

export function describeObligation(record: ObligationRecord): Obligation {
  const parts = new Map<number, number>()
  for (const { partition } of sortedParts(record.parts.values())) {
    parts.set(partition, (parts.get(partition) ?? 0) + 1)
  }
  const { id, kind, job, owner, state, attempts, inputsAtRisk, notBeforeMs, reason, sinceMs } = record
  return { id, kind, job, owner, state, attempts, inputsAtRisk, notBeforeMs, reason, sinceMs, parts }
}

/** A request or an orphan ends with its last part. */
export function endIfEmpty(state: MemoryLedgerState, { id, kind, parts }: ObligationRecord): void {
  if (kind !== 'manifest' && parts.size === 0) state.obligations.delete(id)
}

/** A life that is unknown, or whose lease ran out: what it owns may be taken over. */
export function mayBeDead(state: MemoryLedgerState, owner: OwnerId, nowMs: number): boolean {
  const record = state.owners.get(owner)
  return record === undefined || record.leaseUntilMs <= nowMs
}

/** The obligation, if `owner` is the one who has to finish it. */
export function heldBy(
  state: MemoryLedgerState,
  obligation: ObligationId,
  owner: OwnerId
): ObligationRecord | undefined {
  const record = state.obligations.get(obligation)
  return record?.owner === owner ? record : undefined
}
