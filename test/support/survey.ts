import type { ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type {
  Instance,
  LedgerCounts,
  LedgerState,
  Obligation,
  PartitionProgress,
  Survey
} from '@pointsman/core/ports/ledger'

const noCounts: LedgerCounts = {
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
  processed: 0,
  jobs: 0
}

export interface SurveyParts {
  readonly progress?: readonly (readonly [number, PartitionProgress])[]
  readonly obligations?: readonly Obligation[]
  readonly instances?: readonly Instance[]
  readonly counts?: Partial<LedgerCounts>
  readonly pausedBecause?: string
  readonly draining?: LedgerState['draining']
  readonly handoff?: LedgerState['handoff']
  readonly ledgerId?: string
  readonly nowMs?: number
}

/** A ledger's survey with as much in it as a test cares for. */
export function surveyOf(parts: SurveyParts): Survey {
  const progress = new Map(parts.progress)
  const nowMs = parts.nowMs ?? 0
  return {
    state: {
      ledgerId: parts.ledgerId ?? 'ledger',
      epoch: 1,
      draining: parts.draining,
      pause:
        parts.pausedBecause === undefined
          ? undefined
          : { reason: parts.pausedBecause, actor: 'test', sinceMs: 0 },
      defaultLane: 'realtime',
      partitions: progress,
      handoff: parts.handoff,
      rebuild: undefined
    },
    progress,
    obligations: parts.obligations ?? [],
    instances: parts.instances ?? [],
    counts: { ...noCounts, ...parts.counts },
    nowMs
  }
}

export function progressOf(watermark: number, frontier: number, unsettled: number): PartitionProgress {
  return { lane: 'realtime', watermark: BigInt(watermark), frontier: BigInt(frontier), unsettled }
}

export function obligationOf(partition: number, parts: number, fields: Partial<Obligation> = {}): Obligation {
  return {
    id: 'o.1' as ObligationId,
    kind: 'request',
    job: undefined,
    owner: '1.1' as OwnerId,
    state: 'admitted',
    attempts: 0,
    inputsAtRisk: 0,
    notBeforeMs: 0,
    reason: '',
    sinceMs: 0,
    parts: new Map([[partition, parts]]),
    ...fields
  }
}

export function liveInstance(leaseUntilMs = Number.MAX_SAFE_INTEGER): Instance {
  return {
    owner: '1.1' as OwnerId,
    instance: 'embedder-realtime-1',
    service: 'embedder-realtime',
    leaseUntilMs,
    members: new Map(),
    trouble: ''
  }
}
