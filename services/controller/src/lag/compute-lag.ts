import type { Lane } from '@pointsman/core/domain/lane'
import type { LogBounds } from '@pointsman/core/ports/event-log'
import type { Obligation, PartitionProgress } from '@pointsman/core/ports/ledger'
import { isStale, manifestsOf } from '../jobs/manifests.ts'
import { leftToDrain } from '../switching/describe-switch.ts'
import { type LagHistory, ratesOf } from './lag-history.ts'
import type { LagReading } from './lag-reading.ts'
import { type Draining, type LagReport, lagStatuses, type PartitionLag } from './lag-report.ts'
import { partitionHandoff } from './partition-handoff.ts'
import { type Judged, partitionStatus, type StatusPolicy } from './partition-status.ts'
import { rebuildOf } from '../status/rebuild-report.ts'
import { waitingOrphans } from './waiting-orphans.ts'

/** A stream that is kept up with is settled a little after it is produced: no backlog grows for that. */
const growthTolerance = 1.1

/** The service that serves each lane, as instances register themselves. */
const services = { realtime: 'embedder-realtime', batch: 'embedder-batch' } as const

/**
 * Lag of one moment. Pure.
 * @param before - the history without this reading, `history` with it.
 */
export function computeLag(
  reading: LagReading,
  before: LagHistory,
  history: LagHistory,
  policy: StatusPolicy
): LagReport {
  const rates = ratesOf(history)
  const growing =
    rates.producedPerSecond === null || rates.settledPerSecond === null
      ? undefined
      : rates.producedPerSecond > rates.settledPerSecond * growthTolerance
  const { survey } = reading
  const alive = survey.instances.filter(({ leaseUntilMs }) => leaseUntilMs > survey.nowMs)
  const draining = drainingOf(survey)

  const partitions = [...reading.bounds]
    .toSorted(([a], [b]) => a - b)
    .map(([number, bounds]): PartitionLag => {
      const now = history.standings.get(number)
      const partition = positions(number, bounds, reading, before.standings.has(number) ? now : undefined)
      const serving = alive.filter(({ service }) => service === services[partition.lane])
      const judged = partitionStatus(
        {
          partition,
          before: before.standings.get(number),
          now,
          nowMs: reading.nowMs,
          draining,
          rebuild: rebuildOf(survey.state),
          paused: survey.state.pause?.reason,
          staleJob: staleJobOf(number, survey, policy.jobDeadlineMs),
          servedBy: serving.length,
          troubles: serving.filter(({ trouble }) => trouble !== ''),
          growing
        },
        policy
      )
      return { ...partition, ...judged }
    })

  const totals = totalsOf(partitions, survey)
  const backlog = totals.unread + totals.outstanding
  return {
    atMs: reading.nowMs,
    ...worst(partitions),
    totals,
    unreadByLane: { realtime: unreadOf('realtime', partitions), batch: unreadOf('batch', partitions) },
    rates,
    etaMs: backlog === 0 ? 0 : rates.settledPerSecond ? (backlog / rates.settledPerSecond) * 1000 : null,
    inputsAtRisk: sum(survey.obligations.map(({ inputsAtRisk }) => inputsAtRisk)),
    samples: history.samples.length,
    draining,
    rebuild: rebuildOf(survey.state),
    partitions
  }
}

function drainingOf(survey: LagReading['survey']): Draining | null {
  const { draining } = survey.state
  return draining === undefined ? null : { ...draining, left: leftToDrain(survey) }
}

/** A job past our own deadline that documents of this partition wait for. */
function staleJobOf(partition: number, survey: LagReading['survey'], deadlineMs: number): string | undefined {
  const stale = manifestsOf(survey).find(
    manifest => manifest.parts.has(partition) && isStale(manifest, survey.nowMs, deadlineMs)
  )
  return stale?.id
}

type Positions = Omit<PartitionLag, 'status' | 'because'>

function positions(
  partition: number,
  { start, end }: LogBounds,
  reading: LagReading,
  standing: { readonly watermarkSinceMs: number } | undefined
): Positions {
  const { survey, committed, nowMs, times } = reading
  const progress = survey.progress.get(partition) ?? unknown(partition, start, reading)
  const { lane, frontier, watermark, unsettled } = progress
  // A group that never committed counts from where it would begin.
  const base = committed[lane].get(partition) ?? least(start, watermark)
  const { unsettledMs, unreadMs } = times.get(partition) ?? {}

  return {
    partition,
    lane,
    start: Number(start),
    end: Number(end),
    frontier: Number(frontier),
    watermark: Number(watermark),
    committed: {
      realtime: orNull(committed.realtime.get(partition)),
      batch: orNull(committed.batch.get(partition))
    },
    lag: Number(end - base),
    unread: positive(end - greatest(frontier, start)),
    gone: positive(least(start, end) - frontier),
    outstanding: unsettled,
    stages: stagesOf(partition, unsettled, survey.obligations),
    orphans: waitingOrphans(survey, partition),
    doneAhead: Number(frontier - watermark) - unsettled,
    uncommitted: Number(watermark - base),
    uncommittedByGroup: {
      realtime: behind(watermark, committed.realtime.get(partition)),
      batch: behind(watermark, committed.batch.get(partition))
    },
    beyondEnd: positive(frontier - end),
    expired: positive(start - watermark),
    oldestUnsettledMs: unsettledMs === undefined ? null : Math.max(0, nowMs - unsettledMs),
    oldestUnreadMs: unreadMs === undefined ? null : Math.max(0, nowMs - unreadMs),
    watermarkStandsMs: standing ? nowMs - standing.watermarkSinceMs : null,
    blocking: blockingOf(partition, watermark, reading),
    retention: retentionOf(unsettledMs ?? unreadMs, reading),
    handoff: partitionHandoff(partition, { start, end }, survey.state.handoff)
  }
}

/** A partition that nobody has opened yet; or all are unknown, since the ledger is rebuilt: then A will be what was committed. */
function unknown(partition: number, start: bigint, { committed, survey }: LagReading): PartitionProgress {
  const { defaultLane: lane, rebuild } = survey.state
  const offsets = [committed.realtime.get(partition), committed.batch.get(partition)]
  const frontier =
    rebuild === undefined ? start : offsets.reduce<bigint>((most, at) => greatest(most, at ?? most), start)
  return { lane, frontier, watermark: frontier, unsettled: 0 }
}

function stagesOf(
  partition: number,
  unsettled: number,
  obligations: readonly Obligation[]
): PartitionLag['stages'] {
  const partsOf = (chosen: (obligation: Obligation) => boolean): number =>
    sum(obligations.filter(chosen).map(({ parts }) => parts.get(partition) ?? 0))
  const waiting = partsOf(({ kind }) => kind === 'orphan')
  const paying = partsOf(({ kind, state }) => kind === 'request' && state === 'paying')
  const admitted = partsOf(({ kind, state }) => kind === 'request' && state === 'admitted')
  const inJobs = partsOf(({ kind }) => kind === 'manifest')
  const unaccounted = unsettled - inJobs - waiting - paying - admitted
  return { admitted, paying, inJobs, waiting, unaccounted }
}

function blockingOf(partition: number, watermark: bigint, reading: LagReading): PartitionLag['blocking'] {
  const { survey, blocking } = reading
  const id = blocking.get(partition)
  const found = id === undefined ? undefined : survey.obligations.find(obligation => obligation.id === id)
  if (!found) return null
  return {
    offset: Number(watermark),
    obligation: found.id,
    kind: found.kind,
    state: found.state,
    attempts: found.attempts,
    ageMs: Math.max(0, survey.nowMs - found.sinceMs),
    reason: found.reason,
    waitMs: Math.max(0, found.notBeforeMs - survey.nowMs)
  }
}

function retentionOf(
  recordMs: number | undefined,
  { nowMs, retentionMs }: LagReading
): PartitionLag['retention'] {
  if (recordMs === undefined || retentionMs === undefined) return null
  const leftMs = retentionMs - (nowMs - recordMs)
  return { leftMs, leftShare: leftMs / retentionMs }
}

function totalsOf(partitions: readonly PartitionLag[], survey: LagReading['survey']): LagReport['totals'] {
  const total = (of: (partition: PartitionLag) => number): number => sum(partitions.map(of))
  return {
    lag: total(p => p.lag),
    unread: total(p => p.unread),
    gone: total(p => p.gone),
    outstanding: total(p => p.outstanding),
    stages: {
      admitted: total(p => p.stages.admitted),
      paying: total(p => p.stages.paying),
      inJobs: total(p => p.stages.inJobs),
      waiting: total(p => p.stages.waiting),
      unaccounted: total(p => p.stages.unaccounted)
    },
    orphans: waitingOrphans(survey),
    doneAhead: total(p => p.doneAhead),
    uncommitted: total(p => p.uncommitted),
    beyondEnd: total(p => p.beyondEnd),
    expired: total(p => p.expired),
    oldestUnsettledMs: oldest(partitions.map(p => p.oldestUnsettledMs)),
    oldestUnreadMs: oldest(partitions.map(p => p.oldestUnreadMs))
  }
}

function unreadOf(lane: Lane, partitions: readonly PartitionLag[]): number {
  return sum(partitions.filter(p => p.lane === lane).map(({ unread }) => unread))
}

function worst(partitions: readonly PartitionLag[]): Judged {
  const [first] = partitions.toSorted((a, b) => lagStatuses.indexOf(a.status) - lagStatuses.indexOf(b.status))
  if (!first) return { status: 'UNKNOWN', because: 'the documents topic has no partitions' }
  if (first.status === 'OK') return { status: 'OK', because: first.because }
  return { status: first.status, because: `partition ${first.partition}: ${first.because}` }
}

function oldest(agesMs: readonly (number | null)[]): number | null {
  return agesMs.reduce((max, ageMs) => (max === null || (ageMs !== null && ageMs > max) ? ageMs : max), null)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function positive(difference: bigint): number {
  return difference > 0n ? Number(difference) : 0
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function greatest(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function behind(watermark: bigint, committed: bigint | undefined): number | null {
  return committed === undefined ? null : Number(watermark - committed)
}

function orNull(offset: bigint | undefined): number | null {
  return offset === undefined ? null : Number(offset)
}
