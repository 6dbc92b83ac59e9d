import type { Figures } from './bench.ts'
import { type Quantiles, quantilesOf } from './support/quantiles.ts'
import { medianOf } from './support/spread.ts'
import { longestGapMs } from './switch-sampler.ts'
import type { SeriesMeasurement } from './switch-series.ts'
import type { ThrownSwitch } from './switch-thrown.ts'

/** What we claim, in milliseconds. */
const targets = { firstP50: 100, firstP99: 300, allP99: 500, gap: 1_000 }

/** What `--json` shows of a series; told in docs/benchmarks.md. */
export function seriesFigures(measured: SeriesMeasurement): Figures {
  const { check, thrown } = measured
  const completed = completedOf(measured)
  const quantiles = (of: (each: ThrownSwitch) => number): Quantiles | undefined =>
    quantilesOf(completed.map(of))
  const count = (wanted: ThrownSwitch['outcome']): number =>
    thrown.filter(({ outcome }) => outcome === wanted).length
  return {
    switches: completed.length,
    aborted: count('aborted'),
    refused: count('refused'),
    refusals: [
      ...new Set(thrown.filter(({ outcome }) => outcome === 'refused').map(({ because }) => because))
    ],
    disagreements: thrown.flatMap(({ disagreements }) => disagreements),
    notAdmitted: completed.filter(({ lastMs }) => !Number.isFinite(lastMs)).length,
    firstAdmissionMs: quantiles(({ firstMs }) => firstMs),
    allPartitionsMs: quantiles(({ lastMs }) => lastMs),
    cutMs: quantiles(({ cutMs }) => cutMs),
    fromCutMs: quantiles(({ cutMs, firstMs }) => firstMs - cutMs),
    allFromCutMs: quantiles(({ cutMs, lastMs }) => lastMs - cutMs),
    answerMs: quantiles(({ answerMs }) => answerMs),
    byDirection: byDirection(completed),
    longestGapMs: longestGapMs(measured.gaps),
    longestGapAtSwitchMs: gapAtSwitches(measured),
    samplesEveryMs: { samples: measured.samples, longestMs: measured.longestSampleMs },
    clocks: measured.clocks,
    coresUsed: measured.coresUsed,
    documentsPerSecond: measured.documentsPerSecond,
    producerLateMs: measured.producerLateMs,
    mostUnread: measured.mostUnread,
    unreadAtSwitch: spreadOf(thrown.map(({ unread }) => unread)),
    jobsAtSwitch: spreadOf(thrown.map(({ jobs }) => jobs)),
    settleMs: measured.settleMs,
    ...check
  }
}

/** What must not be: it makes the command fail. */
export function wrongsOf({ check, thrown }: SeriesMeasurement): readonly string[] {
  const { doublePayments, duplicates, lost, misassigned, stale, strangePayments } = check
  const counted = { lost, duplicates, stale, misassigned, doublePayments, strangePayments }
  const wrong = Object.entries(counted).flatMap(([name, count]) => (count > 0 ? [`${name} ${count}`] : []))
  const refused = thrown.flatMap(({ because, outcome }) =>
    outcome === 'refused' ? [`refused: ${because}`] : []
  )
  return [...wrong, ...refused, ...thrown.flatMap(({ disagreements }) => disagreements)]
}

/** What we claim and what was measured, a line each: targets, not conditions. */
export function shortfallsOf(measured: SeriesMeasurement): readonly string[] {
  const completed = completedOf(measured)
  const first = quantilesOf(completed.map(({ firstMs }) => firstMs))
  const all = quantilesOf(completed.map(({ lastMs }) => lastMs))
  const line = (name: string, is: number | undefined, target: number): string =>
    `${is !== undefined && is <= target ? 'ok   ' : 'short'} ${name}: ${is ?? 'nothing'} ms (target ${target} ms)`
  return [
    line('first admission, p50', first?.p50, targets.firstP50),
    line('first admission, p99', first?.p99, targets.firstP99),
    line('last partition, p99', all?.p99, targets.allP99),
    line('longest gap at a switch', gapAtSwitches(measured), targets.gap),
    line('longest gap', longestGapMs(measured.gaps), targets.gap)
  ]
}

function completedOf({ thrown }: SeriesMeasurement): readonly ThrownSwitch[] {
  return thrown.filter(({ outcome }) => outcome === 'completed' || outcome === 'late')
}

function byDirection(completed: readonly ThrownSwitch[]): Figures {
  return Object.fromEntries(
    (['realtime', 'batch'] as const).map(lane => {
      const there = completed.filter(({ target }) => target === lane)
      return [
        lane,
        {
          switches: there.length,
          firstAdmissionMs: quantilesOf(there.map(({ firstMs }) => firstMs)),
          allPartitionsMs: quantilesOf(there.map(({ lastMs }) => lastMs))
        }
      ]
    })
  )
}

function gapAtSwitches({ gaps, thrown }: SeriesMeasurement): number {
  return longestGapMs(
    gaps,
    thrown.map(({ window }) => window)
  )
}

function spreadOf(values: readonly number[]): Figures {
  return { min: Math.min(...values), median: medianOf(values), max: Math.max(...values) }
}
