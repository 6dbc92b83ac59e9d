import type { Lane } from '@pointsman/core/domain/lane'
import type { Survey } from '@pointsman/core/ports/ledger'
import type { LagReading } from './lag-reading.ts'

/** What one reading leaves behind to compare later ones with. */
export interface LagSample {
  readonly nowMs: number
  readonly ledgerId: string
  readonly produced: number
  readonly admitted: number
  /** Admitted and nothing left to do. */
  readonly done: number
}

/** Where a partition stood, and since when it has stood there with work to do: an idle partition does not stand. */
export interface Standing {
  readonly frontier: bigint
  readonly watermark: bigint
  readonly committed: Readonly<Record<Lane, bigint | undefined>>
  readonly lane: Lane
  /** Since when it has been seen in this lane. */
  readonly laneSinceMs: number
  readonly frontierSinceMs: number
  readonly watermarkSinceMs: number
}

export interface LagHistory {
  /** Oldest first, all of one ledger, none older than the window. */
  readonly samples: readonly LagSample[]
  readonly standings: ReadonlyMap<number, Standing>
}

export interface Rates {
  readonly producedPerSecond: number | null
  readonly admittedPerSecond: number | null
  readonly settledPerSecond: number | null
  readonly windowMs: number
}

export const noHistory: LagHistory = { samples: [], standings: new Map() }

/** Rates over less time than this are noise. */
const minSpanMs = 1000

/** @param windowMs - rates are means over this time. */
export function stepHistory(history: LagHistory, reading: LagReading, windowMs: number): LagHistory {
  const sample = sampleOf(reading)
  const last = history.samples.at(-1)
  // Another ledger counts from zero: nothing before it compares.
  const comparable = last !== undefined && last.ledgerId === sample.ledgerId
  const kept = comparable ? history.samples.filter(old => sample.nowMs - old.nowMs <= windowMs) : []
  return {
    samples: [...kept, sample],
    standings: standingsOf(comparable ? history.standings : noHistory.standings, reading)
  }
}

/** Null while there are fewer than two samples with time between them. */
export function ratesOf({ samples }: LagHistory): Rates {
  const first = samples.at(0)
  const last = samples.at(-1)
  const windowMs = first && last ? last.nowMs - first.nowMs : 0
  if (!first || !last || windowMs < minSpanMs) {
    return { producedPerSecond: null, admittedPerSecond: null, settledPerSecond: null, windowMs }
  }
  const perSecond = (delta: number): number => Math.max(0, (delta * 1000) / windowMs)
  return {
    producedPerSecond: perSecond(last.produced - first.produced),
    admittedPerSecond: perSecond(last.admitted - first.admitted),
    settledPerSecond: perSecond(last.done - first.done),
    windowMs
  }
}

function sampleOf({ nowMs, survey, bounds }: LagReading): LagSample {
  const ends = [...bounds.values()].map(({ end }) => Number(end))
  return {
    nowMs,
    ledgerId: survey.state.ledgerId,
    produced: ends.reduce((sum, end) => sum + end, 0),
    admitted: survey.counts.admitted,
    done: survey.counts.admitted - openParts(survey)
  }
}

function openParts({ progress }: Survey): number {
  return [...progress.values()].reduce((sum, { unsettled }) => sum + unsettled, 0)
}

function standingsOf(
  before: ReadonlyMap<number, Standing>,
  { nowMs, survey, committed, bounds }: LagReading
): ReadonlyMap<number, Standing> {
  const standings = new Map<number, Standing>()
  for (const [partition, { frontier, watermark, lane }] of survey.progress) {
    const old = before.get(partition)
    const end = bounds.get(partition)?.end ?? frontier
    standings.set(partition, {
      frontier,
      watermark,
      committed: { realtime: committed.realtime.get(partition), batch: committed.batch.get(partition) },
      lane,
      laneSinceMs: old && old.lane === lane ? old.laneSinceMs : nowMs,
      frontierSinceMs: old && old.frontier === frontier && frontier < end ? old.frontierSinceMs : nowMs,
      watermarkSinceMs: old && old.watermark === watermark && watermark < end ? old.watermarkSinceMs : nowMs
    })
  }
  return standings
}
