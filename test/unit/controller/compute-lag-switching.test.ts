import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Handoff, Obligation, PartitionProgress } from '@pointsman/core/ports/ledger'
import { describe, expect, test } from 'vitest'
import { jobOf } from '../../support/job.ts'
import { reading, report, type Situation } from '../../support/lag-reading.ts'
import { liveInstance, obligationOf, progressOf } from '../../support/survey.ts'

const hourMs = 3_600_000
const batchEmbedder = { ...liveInstance(), instance: 'embedder-batch-1', service: 'embedder-batch' }
const instances = [liveInstance(), batchEmbedder]

function inLane(
  lane: 'realtime' | 'batch',
  ...[watermark, frontier, unsettled]: [number, number, number]
): readonly (readonly [number, PartitionProgress])[] {
  return [[0, { ...progressOf(watermark, frontier, unsettled), lane }]]
}

function manifest(parts: number, fields: Partial<Obligation> = {}): Obligation {
  return obligationOf(0, parts, {
    id: 'm.1' as ObligationId,
    kind: 'manifest',
    state: 'submitted',
    job: jobOf({}),
    ...fields
  })
}

describe('the last handoff', () => {
  const handoff = (admittedMs: readonly (readonly [number, number | undefined])[]): Handoff => ({
    epoch: 17,
    cutMs: 5000,
    frontiers: new Map([[0, 40n]]),
    admittedMs: new Map(admittedMs),
    released: 0,
    cancelled: 0
  })
  const after = (end: number, admittedMs: readonly (readonly [number, number | undefined])[]) =>
    report(reading({ end, progress: [[0, progressOf(40, 40, 0)]], handoff: handoff(admittedMs) }))
      .partitions[0]?.handoff

  test('tells where it cut and how long the new lane took to admit', () => {
    expect(after(50, [[0, 5053]])).toEqual({
      epoch: 17,
      frontier: 40,
      cutMs: 5000,
      admittedAfterMs: 53,
      toAdmit: 10
    })
  })

  test('nothing admitted yet is no latency, and whether there was anything is told', () => {
    expect(after(50, [[0, undefined]])).toMatchObject({ admittedAfterMs: null, toAdmit: 10 })
    expect(after(40, [[0, undefined]])).toMatchObject({ admittedAfterMs: null, toAdmit: 0 })
  })

  test('a partition that kept its lane has none', () => {
    expect(after(50, [[3, 5053]])).toBeNull()
  })
})

describe('documents that wait to be adopted', () => {
  test('are those whose time has come and those that rest, with the reason of the oldest', () => {
    const orphan = (id: string, parts: number, fields: Partial<Obligation>): Obligation =>
      obligationOf(0, parts, { id: id as ObligationId, kind: 'orphan', owner: undefined, ...fields })
    const { totals } = report(
      reading({
        end: 20,
        nowMs: 1000,
        progress: [[0, progressOf(0, 20, 20)]],
        obligations: [
          orphan('o.1', 5, { sinceMs: 300, notBeforeMs: 9000, reason: 'the newer one' }),
          orphan('o.2', 8, { sinceMs: 100, notBeforeMs: 4000, reason: 'the oldest one' }),
          orphan('o.3', 7, { sinceMs: 200, notBeforeMs: 1000 })
        ]
      })
    )
    expect(totals.orphans).toEqual({ adoptable: 7, resting: 13, soonestMs: 3000, reason: 'the oldest one' })
  })

  test('none have neither time nor reason', () => {
    const { totals } = report(reading({ end: 5, progress: [[0, progressOf(5, 5, 0)]] }))
    expect(totals.orphans).toEqual({ adoptable: 0, resting: 0, soonestMs: null, reason: null })
  })
})

describe('a switch that drains', () => {
  const draining = (nowMs: number, situation: Partial<Situation> = {}) =>
    reading({
      nowMs,
      end: 900,
      progress: inLane('batch', 10, 50, 42),
      obligations: [
        manifest(40),
        obligationOf(0, 2),
        obligationOf(0, 1, { id: 'o.2' as ObligationId, kind: 'orphan', owner: undefined })
      ],
      instances,
      draining: { epoch: 18, sinceMs: 3 },
      ...situation
    })

  test('tells what is left of the old lane, without the orphans, which the new one adopts', () => {
    expect(report(draining(0)).draining).toEqual({
      epoch: 18,
      sinceMs: 3,
      left: { requests: 1, jobs: 1, documents: 42 }
    })
  })

  test('throttles with its epoch, however long it takes: that is no stall', () => {
    const told = report(draining(0), draining(30_000), draining(20 * hourMs))
    expect(told).toMatchObject({ status: 'THROTTLED', because: expect.stringContaining('epoch 18 waits') })
    expect(told.because).toContain('1 requests and 1 jobs with 42 documents')
  })

  test('names the job that keeps it waiting past its deadline', () => {
    const stale = { obligations: [manifest(40, { job: jobOf({ submittedMs: 1 }) })] }
    const told = report(draining(0, stale), draining(27 * hourMs, stale))
    expect(told).toMatchObject({ status: 'THROTTLED', because: expect.stringContaining('jobs cancel m.1') })
  })

  test('leaves alone what is settled and read', () => {
    const idle = { end: 50, progress: inLane('batch', 50, 50, 0), obligations: [] }
    expect(report(draining(0, idle)).status).toBe('OK')
  })
})

describe('the status after a switch', () => {
  /** A batch lane that stood for hours, all its jobs taken, and has just been switched to realtime. */
  const stood = (nowMs: number, lane: 'realtime' | 'batch', situation: Partial<Situation> = {}) =>
    reading({
      nowMs,
      end: 900,
      progress: inLane(lane, 10, 50, 40),
      obligations: [manifest(40)],
      instances,
      blocking: 'm.1' as ObligationId,
      ...situation
    })

  test('is not STALLED because the old lane stood', () => {
    const told = report(
      stood(0, 'batch'),
      stood(5 * hourMs, 'batch'),
      stood(5 * hourMs + 2000, 'realtime'),
      stood(5 * hourMs + 50_000, 'realtime')
    )
    expect(told.status).toBe('CATCHING_UP')
  })

  test('is STALLED when the new lane admits nothing for a minute, though an old job holds W', () => {
    const trouble = { ...liveInstance(), trouble: 'provider: closed' }
    const told = report(
      stood(0, 'batch'),
      stood(2000, 'realtime'),
      stood(63_000, 'realtime', { instances: [trouble] })
    )
    expect(told).toMatchObject({
      status: 'STALLED',
      because: expect.stringContaining('embedder-realtime-1: provider: closed')
    })
  })

  test('is WAITING in the realtime lane while all that is left waits for old jobs', () => {
    const read = { end: 50 }
    const told = report(
      stood(0, 'batch', read),
      stood(2000, 'realtime', read),
      stood(20 * hourMs, 'realtime', read)
    )
    expect(told).toMatchObject({ status: 'WAITING', because: expect.stringContaining('40 documents') })
  })

  test('is BLOCKED in the batch lane when a request of the old one holds W', () => {
    const held = (nowMs: number, lane: 'realtime' | 'batch') =>
      reading({
        nowMs,
        end: 50,
        progress: inLane(lane, 10, 50, 1),
        obligations: [obligationOf(0, 1)],
        instances,
        blocking: 'o.1' as ObligationId
      })
    expect(report(held(0, 'realtime'), held(2000, 'batch'), held(50_000, 'batch')).status).toBe('OK')
    const told = report(held(0, 'realtime'), held(2000, 'batch'), held(63_000, 'batch'))
    expect(told).toMatchObject({ status: 'BLOCKED', because: expect.stringContaining('offset 10') })
  })

  test('names what to do about a job past its deadline, in either lane and at the first reading', () => {
    const stale = { obligations: [manifest(40, { job: jobOf({ submittedMs: 1 }) })] }
    for (const lane of ['realtime', 'batch'] as const) {
      const { status, because } = report(stood(27 * hourMs, lane, stale))
      expect(status).toBe('BLOCKED')
      expect(because).toContain('`pointsman jobs cancel m.1`')
      expect(because).toContain('`pointsman jobs abandon m.1`')
    }
  })

  test('is not REWOUND because the other group had committed less', () => {
    const at = (nowMs: number, lane: 'realtime' | 'batch') =>
      stood(nowMs, lane, { committed: 10, batchCommitted: 4 })
    expect(report(at(0, 'realtime'), at(2000, 'batch')).status).toBe('CATCHING_UP')
  })

  test('is REWOUND or JUMPED also when somebody meddled with the idle group', () => {
    const at = (nowMs: number, batchCommitted: number) =>
      stood(nowMs, 'realtime', { committed: 9, batchCommitted })
    expect(report(at(0, 9), at(2000, 3))).toMatchObject({
      status: 'REWOUND',
      because: expect.stringContaining('batch group fell from 9 to 3')
    })
    expect(report(at(0, 11))).toMatchObject({
      status: 'JUMPED',
      because: expect.stringContaining('11 of the batch group')
    })
  })

  test('is STOPPED when nobody serves the new lane', () => {
    const alone = report(stood(0, 'batch'), stood(2000, 'realtime', { instances: [batchEmbedder] }))
    expect(alone).toMatchObject({ status: 'STOPPED', because: expect.stringContaining('realtime lane') })
  })
})
