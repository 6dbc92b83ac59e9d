// The identity of docs/operations.md: every offset between C and E is counted in one place.
import type { ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type { Lane } from '@pointsman/core/domain/lane'
import type { Obligation, ObligationState, PartitionProgress } from '@pointsman/core/ports/ledger'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LagReading } from '../../services/controller/src/lag/lag-reading.ts'
import { lagReport, type PartitionLag } from '../../services/controller/src/lag/lag-report.ts'
import { jobOf } from '../support/job.ts'
import { report } from '../support/lag-reading.ts'
import { liveInstance, obligationOf, surveyOf } from '../support/survey.ts'

const nowMs = 100_000

/** What one partition is made of, so that what the report must say is known beforehand. */
const partitionShape = fc.record({
  lane: fc.constantFrom<Lane>('realtime', 'batch'),
  /** A partition that the ledger has not seen yet has neither progress nor obligations. */
  isKnown: fc.boolean(),
  committedBelow: fc.record({
    realtime: fc.option(fc.nat(500), { nil: undefined }),
    batch: fc.option(fc.nat(500), { nil: undefined })
  }),
  watermark: fc.integer({ min: 500, max: 5000 }),
  doneAhead: fc.nat(300),
  admitted: fc.nat(50),
  paying: fc.nat(50),
  inJobs: fc.nat(50),
  adoptable: fc.nat(50),
  resting: fc.nat(50),
  restMs: fc.integer({ min: 1, max: 60_000 }),
  /** End of the log from A; below 0 when the log was made anew. */
  toEnd: fc.integer({ min: -400, max: 1000 }),
  startShare: fc.double({ min: 0, max: 1.2, noNaN: true }),
  handoff: fc.option(
    fc.record({ above: fc.nat(100), admittedMs: fc.option(fc.nat(500), { nil: undefined }) }),
    {
      nil: undefined
    }
  )
})
type Shape = typeof partitionShape extends fc.Arbitrary<infer Value> ? Value : never

const shapes = fc.record({
  partitions: fc.array(partitionShape, { minLength: 1, maxLength: 5 }),
  draining: fc.boolean()
})

function frontierOf(shape: Shape): number {
  const { admitted, paying, inJobs, adoptable, resting, doneAhead, watermark } = shape
  return watermark + doneAhead + admitted + paying + inJobs + adoptable + resting
}

function boundsOf(shape: Shape): { readonly start: bigint; readonly end: bigint } {
  const end = Math.max(0, frontierOf(shape) + shape.toEnd)
  return { start: BigInt(Math.min(end, Math.round(frontierOf(shape) * shape.startShare))), end: BigInt(end) }
}

function committedOf(shape: Shape, lane: Lane): bigint | undefined {
  const below = shape.committedBelow[lane]
  return below === undefined ? undefined : BigInt(shape.watermark - below)
}

function obligationsOf(shape: Shape, partition: number): readonly Obligation[] {
  const made = (name: string, parts: number, fields: Partial<Obligation>): Obligation =>
    obligationOf(partition, parts, { id: `${name}.${partition}` as ObligationId, ...fields })
  const request = (state: ObligationState) => ({ kind: 'request', state }) as const
  const orphan = { kind: 'orphan', owner: undefined } as const
  return [
    made('a', shape.admitted, request('admitted')),
    made('p', shape.paying, { ...request('paying'), inputsAtRisk: shape.paying }),
    made('j', shape.inJobs, {
      kind: 'manifest',
      state: 'submitted',
      job: jobOf({}),
      owner: '9.1' as OwnerId
    }),
    made('o', shape.adoptable, { ...orphan, notBeforeMs: nowMs }),
    made('r', shape.resting, { ...orphan, notBeforeMs: nowMs + shape.restMs, reason: 'timeout' })
  ].filter(({ parts }) => (parts.get(partition) ?? 0) > 0)
}

function readingOf({
  partitions,
  draining
}: {
  readonly partitions: readonly Shape[]
  readonly draining: boolean
}): LagReading {
  const known = partitions.map((shape, number) => ({ shape, number })).filter(({ shape }) => shape.isKnown)
  const switched = known.flatMap(({ shape: { handoff, watermark }, number }) =>
    handoff === undefined ? [] : [{ number, frontier: BigInt(watermark + handoff.above), ...handoff }]
  )
  const progressOf = (shape: Shape): PartitionProgress => ({
    lane: shape.lane,
    watermark: BigInt(shape.watermark),
    frontier: BigInt(frontierOf(shape)),
    unsettled: shape.admitted + shape.paying + shape.inJobs + shape.adoptable + shape.resting
  })
  return {
    nowMs,
    committed: {
      realtime: new Map(partitions.map((shape, number) => [number, committedOf(shape, 'realtime')])),
      batch: new Map(partitions.map((shape, number) => [number, committedOf(shape, 'batch')]))
    },
    survey: surveyOf({
      nowMs,
      progress: known.map(({ shape, number }) => [number, progressOf(shape)]),
      obligations: known.flatMap(({ shape, number }) => obligationsOf(shape, number)),
      instances: [liveInstance()],
      draining: draining ? { epoch: 8, sinceMs: 1 } : undefined,
      handoff:
        switched.length === 0
          ? undefined
          : {
              epoch: 7,
              cutMs: 1000,
              frontiers: new Map(switched.map(({ number, frontier }) => [number, frontier])),
              admittedMs: new Map(
                switched.map(({ number, admittedMs }) => [number, admittedMs && 1000 + admittedMs])
              ),
              released: 0,
              cancelled: 0
            }
    }),
    bounds: new Map(partitions.map((shape, number) => [number, boundsOf(shape)])),
    retentionMs: undefined,
    times: new Map(),
    blocking: new Map()
  }
}

function stagesSum({ admitted, paying, inJobs, waiting, unaccounted }: PartitionLag['stages']): number {
  return admitted + paying + inJobs + waiting + unaccounted
}

describe('the identity', () => {
  test('end - committed is unread, gone, in flight by stage, waiting, done ahead and uncommitted, less what is beyond the end', () => {
    fc.assert(
      fc.property(shapes, situation => {
        const { partitions, totals } = report(readingOf(situation))
        expect(partitions).toHaveLength(situation.partitions.length)
        for (const p of [...partitions, totals]) {
          expect(p.unread + p.gone + stagesSum(p.stages) + p.doneAhead + p.uncommitted - p.beyondEnd).toBe(
            p.lag
          )
          expect(stagesSum(p.stages)).toBe(p.outstanding)
          expect(p.orphans.adoptable + p.orphans.resting).toBe(p.stages.waiting)
        }
        for (const p of partitions) {
          const committed = p.committed[p.lane]
          if (committed !== null) expect(p.lag).toBe(p.end - committed)
        }
      })
    )
  })

  test('each term is what the partition was made of', () => {
    fc.assert(
      fc.property(shapes, situation => {
        for (const [index, p] of report(readingOf(situation)).partitions.entries()) {
          const shape = situation.partitions[index]
          if (shape?.isKnown !== true) continue
          const { admitted, paying, inJobs, adoptable, resting, restMs, doneAhead } = shape
          expect(p.stages).toEqual({ admitted, paying, inJobs, waiting: adoptable + resting, unaccounted: 0 })
          expect(p).toMatchObject({ doneAhead, beyondEnd: Math.max(0, p.frontier - p.end) })
          expect(p.orphans).toMatchObject({ adoptable, resting, soonestMs: resting > 0 ? restMs : null })
        }
      })
    )
  })

  test('each group is as far behind the watermark as it has not committed, whichever lane is active', () => {
    fc.assert(
      fc.property(shapes, situation => {
        for (const [index, p] of report(readingOf(situation)).partitions.entries()) {
          const shape = situation.partitions[index]
          if (shape?.isKnown !== true) continue
          const { realtime, batch } = shape.committedBelow
          expect(p.uncommittedByGroup).toEqual({ realtime: realtime ?? null, batch: batch ?? null })
          const active = p.uncommittedByGroup[p.lane]
          if (active !== null) expect(p.uncommitted).toBe(active)
        }
      })
    )
  })

  test('whatever the situation, the report is what the API promises', () => {
    fc.assert(
      fc.property(shapes, fc.nat(100_000), (situation, laterMs) => {
        const first = readingOf(situation)
        expect(() => lagReport.parse(report(first, { ...first, nowMs: nowMs + laterMs }))).not.toThrow()
      })
    )
  })
})
