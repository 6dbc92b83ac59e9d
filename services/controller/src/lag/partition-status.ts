import { lanes } from '@pointsman/core/domain/lane'
import type { Instance } from '@pointsman/core/ports/ledger'
import type { Draining, LagStatus, PartitionLag } from './lag-report.ts'
import type { RebuildReport } from '../status/rebuild-report.ts'
import type { Standing } from './lag-history.ts'

export interface StatusPolicy {
  /** How long W (realtime) or A (batch) may stand before that is a stall. */
  readonly stallMs: number
  /** Share of the retention left below which unfinished records are at risk. */
  readonly retentionWarnShare: number
  /** How long after it was submitted a job may take. */
  readonly jobDeadlineMs: number
}

export interface StatusFacts {
  readonly partition: Omit<PartitionLag, 'status' | 'because'>
  /** Where it stood at the reading before; undefined at the first. */
  readonly before: Standing | undefined
  readonly now: Standing | undefined
  readonly nowMs: number
  readonly draining: Draining | null
  readonly rebuild: RebuildReport | null
  /** Why admission is paused. */
  readonly paused: string | undefined
  /** A job that documents of this partition wait for, and that is past our own deadline. */
  readonly staleJob: string | undefined
  /** Instances of the partition's lane whose lease has not run out. */
  readonly servedBy: number
  /** Those of them that could not work when they were heard last. */
  readonly troubles: readonly Pick<Instance, 'instance' | 'trouble'>[]
  /** The backlog of all partitions grows faster than it is settled; undefined when not known. */
  readonly growing: boolean | undefined
}

export interface Judged {
  readonly status: LagStatus
  readonly because: string
}

/** The worst that is true of a partition. What one reading shows comes first, what needs a history last. */
export function partitionStatus(facts: StatusFacts, policy: StatusPolicy): Judged {
  return (
    rebuilding(facts) ?? damage(facts) ?? danger(facts, policy) ?? standstill(facts, policy) ?? pace(facts)
  )
}

/** Nothing else can be told of a partition while the ledger does not know it. */
function rebuilding({ rebuild }: StatusFacts): Judged | undefined {
  if (rebuild === null) return undefined
  const { because, done, stage, total } = rebuild
  const progress =
    stage === 'waiting' ? 'no controller has begun' : `${stage} ${done}${total > 0 ? ` of ${total}` : ''}`
  return { status: 'REBUILDING', because: `the ledger is rebuilt (${because}): ${progress}` }
}

function damage({ partition: p, before }: StatusFacts): Judged | undefined {
  if (p.expired > 0) {
    const range = `offsets ${p.watermark} to ${p.start - 1}`
    return { status: 'LOST', because: `retention removed ${range} before they were finished` }
  }
  if (p.beyondEnd > 0) {
    const because = `admitted up to ${p.frontier}, but the log ends at ${p.end}: was the topic made anew?`
    return { status: 'JUMPED', because }
  }
  // Both groups commit W, so either may be the one that somebody meddled with.
  for (const lane of lanes) {
    const committed = p.committed[lane]
    if (committed !== null && committed > p.watermark) {
      const because = `committed ${committed} of the ${lane} group is beyond the watermark ${p.watermark}`
      return { status: 'JUMPED', because }
    }
  }
  for (const lane of lanes) {
    const committed = p.committed[lane]
    const former = before?.committed[lane]
    if (former !== undefined && committed !== null && BigInt(committed) < former) {
      return {
        status: 'REWOUND',
        because: `committed of the ${lane} group fell from ${former} to ${committed}`
      }
    }
  }
  return undefined
}

function danger(facts: StatusFacts, policy: StatusPolicy): Judged | undefined {
  const { partition: p, draining, paused, servedBy } = facts
  if (p.retention && p.retention.leftShare < policy.retentionWarnShare) {
    const percent = Math.max(0, Math.round(p.retention.leftShare * 100))
    return {
      status: 'AT_RISK',
      because: `the oldest unfinished record has ${percent} % of its retention left`
    }
  }
  if (isIdle(p)) return undefined
  if (servedBy === 0) return { status: 'STOPPED', because: `no embedder of the ${p.lane} lane is alive` }
  if (draining !== null) return { status: 'THROTTLED', because: waitOf(draining, facts.staleJob) }
  if (paused !== undefined) return { status: 'THROTTLED', because: `admission is paused: ${paused}` }
  return undefined
}

function waitOf({ epoch, left }: Draining, staleJob: string | undefined): string {
  const waits = `${left.requests} requests and ${left.jobs} jobs with ${left.documents} documents are left`
  const late = staleJob === undefined ? '' : `; ${remedyFor(staleJob)}`
  return `the switch of epoch ${epoch} waits until the old lane is empty: ${waits}${late}`
}

function standstill(facts: StatusFacts, policy: StatusPolicy): Judged | undefined {
  const { partition: p, before, now, nowMs, staleJob } = facts
  if (isIdle(p)) return undefined
  if (staleJob !== undefined) return { status: 'BLOCKED', because: remedyFor(staleJob) }
  if (!before || !now) return { status: 'UNKNOWN', because: 'one reading so far: ask again' }
  // What stood in the old lane is no fault of the new one, which has just begun.
  const inLaneMs = nowMs - now.laneSinceMs
  const frontierStandsMs = Math.min(nowMs - now.frontierSinceMs, inLaneMs)
  const watermarkStandsMs = Math.min(nowMs - now.watermarkSinceMs, inLaneMs)
  const isAdmitting = p.unread === 0 || frontierStandsMs < policy.stallMs
  const isHeld = watermarkStandsMs >= policy.stallMs
  const waits = isWaiting(p)
  if (!isAdmitting && isStalled(p, waits, isHeld)) {
    return {
      status: 'STALLED',
      because: `nothing has moved for ${seconds(frontierStandsMs)}${troubleOf(facts)}`
    }
  }
  if (isAdmitting && isHeld && isBlocked(p, waits)) {
    return {
      status: 'BLOCKED',
      because: `offset ${p.watermark} has held the watermark for ${seconds(watermarkStandsMs)}`
    }
  }
  return undefined
}

/**
 * Nothing is admitted. A batch lane whose jobs are all taken waits for one of them, up to a day, and all is well. In the
 * realtime lane W tells whether work goes on, unless a job of the old lane holds it.
 */
function isStalled({ lane }: StatusFacts['partition'], waits: boolean, isHeld: boolean): boolean {
  return lane === 'batch' ? !waits : waits || isHeld
}

/** W stands and the rest goes on. In the batch lane that is so by design, but not for what needs no job. */
function isBlocked({ lane, outstanding, blocking }: StatusFacts['partition'], waits: boolean): boolean {
  return lane === 'batch' ? blocking?.kind === 'request' : outstanding > 0 && !waits
}

function pace({ partition: p, growing }: StatusFacts): Judged {
  if (isIdle(p)) return { status: 'OK', because: 'all is settled' }
  if (isWaiting(p) && p.unread === 0) {
    return { status: 'WAITING', because: `${p.stages.inJobs} documents wait for jobs of the batch lane` }
  }
  // Jobs settle their documents all at once: in the batch lane the pace of a moment says nothing.
  if (growing === true && p.unread > 0 && p.lane === 'realtime')
    return { status: 'SLOW', because: 'documents arrive faster than they are settled' }
  if (p.unread === 0) return { status: 'OK', because: 'all is read, the rest is in flight' }
  return { status: 'CATCHING_UP', because: 'the backlog is being worked off' }
}

/** Whether a job is what the partition stands for: in the batch lane, or because one began before a switch. */
function isWaiting({ lane, stages, outstanding, blocking }: StatusFacts['partition']): boolean {
  return (
    stages.inJobs > 0 && (lane === 'batch' || blocking?.kind === 'manifest' || stages.inJobs === outstanding)
  )
}

function remedyFor(job: string): string {
  const remedies = `\`pointsman jobs cancel ${job}\` ends it, \`pointsman jobs abandon ${job}\` gives it up`
  return `job ${job} is past its deadline: ${remedies}`
}

function troubleOf({ troubles }: StatusFacts): string {
  const [first] = troubles
  return first === undefined ? '' : `: ${first.instance}: ${first.trouble}`
}

function isIdle({ unread, outstanding }: StatusFacts['partition']): boolean {
  return unread === 0 && outstanding === 0
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
