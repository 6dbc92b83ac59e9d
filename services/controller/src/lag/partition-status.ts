import type { LagStatus, PartitionLag } from './lag-report.ts'
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
  /** Why admission is paused. */
  readonly paused: string | undefined
  /** A job that documents of this partition wait for, and that is past our own deadline. */
  readonly staleJob: string | undefined
  /** Instances of the partition's lane whose lease has not run out. */
  readonly servedBy: number
  /** The backlog of all partitions grows faster than it is settled; undefined when not known. */
  readonly growing: boolean | undefined
}

export interface Judged {
  readonly status: LagStatus
  readonly because: string
}

/** The worst that is true of a partition. What one reading shows comes first, what needs a history last. */
export function partitionStatus(facts: StatusFacts, policy: StatusPolicy): Judged {
  return damage(facts) ?? danger(facts, policy) ?? standstill(facts, policy) ?? pace(facts)
}

function damage({ partition: p, before }: StatusFacts): Judged | undefined {
  const committed = p.committed[p.lane]
  if (p.expired > 0) {
    const range = `offsets ${p.watermark} to ${p.start - 1}`
    return { status: 'LOST', because: `retention removed ${range} before they were finished` }
  }
  if (p.beyondEnd > 0) {
    const because = `admitted up to ${p.frontier}, but the log ends at ${p.end}: was the topic made anew?`
    return { status: 'JUMPED', because }
  }
  if (committed !== null && committed > p.watermark) {
    return { status: 'JUMPED', because: `committed ${committed} is beyond the watermark ${p.watermark}` }
  }
  const fell = before?.committed !== undefined && committed !== null && BigInt(committed) < before.committed
  if (fell) return { status: 'REWOUND', because: `committed fell from ${before.committed} to ${committed}` }
  return undefined
}

function danger({ partition: p, paused, servedBy }: StatusFacts, policy: StatusPolicy): Judged | undefined {
  if (p.retention && p.retention.leftShare < policy.retentionWarnShare) {
    const percent = Math.max(0, Math.round(p.retention.leftShare * 100))
    return {
      status: 'AT_RISK',
      because: `the oldest unfinished record has ${percent} % of its retention left`
    }
  }
  if (isIdle(p)) return undefined
  if (servedBy === 0) return { status: 'STOPPED', because: `no embedder of the ${p.lane} lane is alive` }
  if (paused !== undefined) return { status: 'THROTTLED', because: `admission is paused: ${paused}` }
  return undefined
}

function standstill(
  { partition: p, before, now, nowMs, staleJob }: StatusFacts,
  policy: StatusPolicy
): Judged | undefined {
  if (isIdle(p)) return undefined
  if (!before || !now) return { status: 'UNKNOWN', because: 'one reading so far: ask again' }
  const frontierStandsMs = nowMs - now.frontierSinceMs
  const watermarkStandsMs = nowMs - now.watermarkSinceMs
  if (staleJob !== undefined) {
    return { status: 'BLOCKED', because: `job ${staleJob} is past its deadline: see \`pointsman jobs\`` }
  }
  const stands = (p.lane === 'batch' ? frontierStandsMs : watermarkStandsMs) >= policy.stallMs
  // A job takes up to a day: W and, when all jobs are taken, A may stand as long, and all is well.
  if (!stands || isWaiting(p)) return undefined
  const admitting = p.unread === 0 || frontierStandsMs < policy.stallMs
  if (p.outstanding > 0 && admitting) {
    return {
      status: 'BLOCKED',
      because: `offset ${p.watermark} has held the watermark for ${seconds(watermarkStandsMs)}`
    }
  }
  return { status: 'STALLED', because: `nothing has moved for ${seconds(watermarkStandsMs)}` }
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

/** Whether a job is what the partition stands for: in the batch lane, or because one began before a switch holds W. */
function isWaiting({ lane, stages, blocking }: StatusFacts['partition']): boolean {
  return stages.inJobs > 0 && (lane === 'batch' || blocking?.kind === 'manifest')
}

function isIdle({ unread, outstanding }: StatusFacts['partition']): boolean {
  return unread === 0 && outstanding === 0
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
