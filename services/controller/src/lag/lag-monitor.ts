import { Failure, policyOf } from '@pointsman/core/domain/failure'
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Clock } from '@pointsman/core/ports/clock'
import type { LogAdmin, LogBounds, RangeReader } from '@pointsman/core/ports/event-log'
import type { Lane } from '@pointsman/core/domain/lane'
import type { Ledger, PartitionProgress, Survey } from '@pointsman/core/ports/ledger'
import { standbyOf } from '../switching/standby.ts'
import type { Standby } from '../switching/switch-report.ts'
import { computeLag } from './compute-lag.ts'
import { type LagHistory, noHistory, stepHistory } from './lag-history.ts'
import type { LagReading, RecordTimes } from './lag-reading.ts'
import type { LagReport } from './lag-report.ts'
import type { StatusPolicy } from './partition-status.ts'

export interface LagDeps {
  readonly admin: Pick<LogAdmin, 'bounds' | 'committed' | 'group' | 'retentionMs'>
  readonly ranges: Pick<RangeReader, 'read'>
  readonly ledger: Pick<Ledger, 'survey' | 'parts'>
  readonly clock: Clock
  readonly groups: { readonly realtime: string; readonly batch: string }
}

export interface LagPolicy extends StatusPolicy {
  /** Between two readings of the loop. */
  readonly everyMs: number
  /** Rates are means over this time. */
  readonly windowMs: number
}

/** What one look gives: the lag, and the survey that it was computed from. */
export interface LagView {
  readonly report: LagReport
  readonly survey: Survey
  /** Whether the instances of each lane could take over now. */
  readonly standbys: Readonly<Record<Lane, Standby>>
}

export const defaultLagPolicy: LagPolicy = {
  everyMs: 2000,
  windowMs: 30_000,
  stallMs: 60_000,
  retentionWarnShare: 0.5,
  jobDeadlineMs: 26 * 3_600_000
}

/** Of the obligations of a partition, so many of the oldest are looked through for the one that holds W. */
const obligationsSearched = 8

/** Looks at the log and the ledger again and again, and remembers enough to tell rates and stalls. */
export class LagMonitor {
  readonly #deps: LagDeps
  readonly #policy: LagPolicy
  #history: LagHistory = noHistory
  /** One reading after the other: each is compared with the one before. */
  #queue: Promise<unknown> = Promise.resolve()
  #next: Promise<LagView> | undefined
  /** By partition: what was looked up about an offset stays true as long as the offset is asked for. */
  readonly #times = new Map<number, Map<bigint, number>>()
  readonly #blocking = new Map<number, { readonly watermark: bigint; readonly id: ObligationId }>()

  constructor(deps: LagDeps, policy: LagPolicy = defaultLagPolicy) {
    this.#deps = deps
    this.#policy = policy
  }

  /**
   * A reading that begins after the call: whoever has just sent documents or paused must see it. Callers that come
   * while one is under way share the next.
   * @param signal - of the controller's life, since others may wait for the same reading.
   * @throws {Failure} of the ports.
   */
  async look(signal: AbortSignal): Promise<LagView> {
    if (this.#next === undefined) {
      this.#next = this.#queue.then(async () => {
        this.#next = undefined
        return await this.#read(signal)
      })
      this.#queue = this.#next.catch(() => undefined)
    }
    return await this.#next
  }

  /** Runs until the signal aborts, then rejects with its reason. A reading that fails is told and tried again. */
  async run(
    on: { readonly view: (view: LagView) => void; readonly failure: (error: Failure) => void },
    signal: AbortSignal
  ): Promise<void> {
    for (;;) {
      try {
        on.view(await this.look(signal))
      } catch (error) {
        signal.throwIfAborted()
        const [disposition] = policyOf(error)
        if (!(error instanceof Failure) || disposition === 'reject') throw error
        on.failure(error)
      }
      await this.#deps.clock.sleep(this.#policy.everyMs, signal)
    }
  }

  async #read(signal: AbortSignal): Promise<LagView> {
    const { admin, ledger, clock, groups } = this.#deps
    // The order matters: see LagReading.
    const [realtime, batch, realtimeGroup, batchGroup] = await Promise.all([
      admin.committed(groups.realtime),
      admin.committed(groups.batch),
      admin.group(groups.realtime),
      admin.group(groups.batch)
    ])
    const survey = await ledger.survey()
    const [bounds, retentionMs] = await Promise.all([admin.bounds(), admin.retentionMs()])

    const before = this.#history
    const base: LagReading = {
      nowMs: clock.nowMs(),
      committed: { realtime, batch },
      survey,
      bounds,
      retentionMs,
      times: await this.#timesOf(survey, bounds, signal),
      blocking: await this.#blockingOf(survey)
    }
    this.#history = stepHistory(before, base, this.#policy.windowMs)
    return {
      report: computeLag(base, before, this.#history, this.#policy),
      survey,
      standbys: {
        realtime: standbyOf({ lane: 'realtime', group: groups.realtime, groupState: realtimeGroup, survey }),
        batch: standbyOf({ lane: 'batch', group: groups.batch, groupState: batchGroup, survey })
      }
    }
  }

  async #timesOf(
    survey: Survey,
    bounds: ReadonlyMap<number, LogBounds>,
    signal: AbortSignal
  ): Promise<ReadonlyMap<number, RecordTimes>> {
    const entries = [...bounds].map(async ([partition, log]): Promise<readonly [number, RecordTimes]> => {
      const progress = survey.progress.get(partition)
      const unsettled = progress && firstUnsettled(progress, log)
      const unread = firstUnread(progress, log)
      const wanted = [unsettled, unread].filter(offset => offset !== undefined)
      const known = await this.#timesAt(partition, wanted, signal)
      const unsettledMs = unsettled === undefined ? undefined : known.get(unsettled)
      const unreadMs = unread === undefined ? undefined : known.get(unread)
      return [
        partition,
        { ...(unsettledMs !== undefined && { unsettledMs }), ...(unreadMs !== undefined && { unreadMs }) }
      ]
    })
    return new Map(await Promise.all(entries))
  }

  async #timesAt(
    partition: number,
    offsets: readonly bigint[],
    signal: AbortSignal
  ): Promise<ReadonlyMap<bigint, number>> {
    const known = this.#times.get(partition) ?? new Map<bigint, number>()
    const times = new Map<bigint, number>()
    for (const offset of offsets) {
      const timeMs = known.get(offset)
      if (timeMs !== undefined) times.set(offset, timeMs)
    }
    const unknown = offsets.filter(offset => !times.has(offset))
    if (unknown.length > 0) {
      const { records } = await this.#deps.ranges.read(partition, unknown, signal)
      for (const { offset, timestampMs } of records) times.set(offset, timestampMs)
    }
    this.#times.set(partition, times)
    return times
  }

  /** Looks up only what stands: a watermark that moves on is blocked by nothing. */
  async #blockingOf(survey: Survey): Promise<ReadonlyMap<number, ObligationId>> {
    const found = new Map<number, ObligationId>()
    for (const [partition, { watermark, unsettled }] of survey.progress) {
      if (unsettled === 0 || this.#history.standings.get(partition)?.watermark !== watermark) continue
      const cached = this.#blocking.get(partition)
      const id =
        cached?.watermark === watermark ? cached.id : await this.#holderOf(partition, watermark, survey)
      if (id === undefined) continue
      // It may have moved to another obligation since: then the cache names one that is gone.
      if (!survey.obligations.some(obligation => obligation.id === id)) {
        this.#blocking.delete(partition)
        continue
      }
      this.#blocking.set(partition, { watermark, id })
      found.set(partition, id)
    }
    return found
  }

  async #holderOf(partition: number, offset: bigint, survey: Survey): Promise<ObligationId | undefined> {
    const oldest = survey.obligations
      .filter(({ parts }) => (parts.get(partition) ?? 0) > 0)
      .toSorted((a, b) => a.sinceMs - b.sinceMs)
      .slice(0, obligationsSearched)
    for (const { id } of oldest) {
      // A page is enough: parts come in order, and a job has many.
      const after = { partition, offset: offset - 1n }
      const parts = await this.#deps.ledger.parts(id, { after, limit: 1 })
      if (parts.some(part => part.partition === partition && part.offset === offset)) return id
    }
    return undefined
  }
}

function firstUnsettled(
  { watermark, frontier }: PartitionProgress,
  { start }: LogBounds
): bigint | undefined {
  return watermark < frontier && watermark >= start ? watermark : undefined
}

function firstUnread(progress: PartitionProgress | undefined, { start, end }: LogBounds): bigint | undefined {
  const frontier = progress?.frontier ?? start
  const first = frontier > start ? frontier : start
  return first < end ? first : undefined
}
