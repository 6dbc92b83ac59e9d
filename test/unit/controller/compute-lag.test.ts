import { describe, expect, test } from 'vitest'
import { reading, report } from '../../support/lag-reading.ts'
import { liveInstance, obligationOf, progressOf } from '../../support/survey.ts'

describe('positions', () => {
  test('a partition that the ledger has not seen counts from the start of the log', () => {
    const [p] = report(reading({ start: 5, end: 12 })).partitions
    expect(p).toMatchObject({ unread: 7, outstanding: 0, uncommitted: 0, lag: 7, frontier: 5 })
  })
})

test('unread documents are told by the lane that is to admit them', () => {
  const inLane = (lane: 'realtime' | 'batch') =>
    report(reading({ end: 100, progress: [[0, { ...progressOf(10, 60, 12), lane }]] })).unreadByLane
  expect(inLane('realtime')).toEqual({ realtime: 40, batch: 0 })
  expect(inLane('batch')).toEqual({ realtime: 0, batch: 40 })
})

describe('where the outstanding documents are', () => {
  test('each stage is counted by itself', () => {
    const { totals } = report(
      reading({
        end: 100,
        progress: [[0, progressOf(10, 60, 12)]],
        obligations: [
          obligationOf(0, 5),
          obligationOf(0, 4, { state: 'paying', inputsAtRisk: 4 }),
          obligationOf(0, 2, { kind: 'orphan', owner: undefined })
        ]
      })
    )
    expect(totals.stages).toEqual({ admitted: 5, paying: 4, inJobs: 0, waiting: 2, unaccounted: 1 })
    expect(totals).toMatchObject({ unread: 40, outstanding: 12, doneAhead: 38 })
  })

  test('k is the inputs of the requests in flight', () => {
    const obligations = [obligationOf(0, 4, { state: 'paying', inputsAtRisk: 3 }), obligationOf(0, 1)]
    const { inputsAtRisk } = report(reading({ end: 5, progress: [[0, progressOf(0, 5, 5)]], obligations }))
    expect(inputsAtRisk).toBe(3)
  })

  test('the blocking record is named with its age, attempts and reason', () => {
    const held = obligationOf(0, 1, {
      kind: 'orphan',
      attempts: 3,
      reason: 'timeout',
      sinceMs: 500,
      notBeforeMs: 9000
    })
    const [p] = report(
      reading({
        end: 9,
        nowMs: 8000,
        progress: [[0, progressOf(4, 9, 1)]],
        obligations: [held],
        blocking: held.id
      })
    ).partitions
    expect(p?.blocking).toEqual({
      offset: 4,
      obligation: held.id,
      kind: 'orphan',
      state: 'admitted',
      attempts: 3,
      ageMs: 7500,
      reason: 'timeout',
      waitMs: 1000
    })
  })
})

describe('rates', () => {
  const at = (nowMs: number, end: number, frontier: number, ledgerId = 'a') =>
    reading({
      nowMs,
      end,
      ledgerId,
      progress: [[0, progressOf(frontier - 10, frontier, 10)]],
      obligations: [obligationOf(0, 10)],
      counts: { admitted: frontier }
    })

  test('one reading knows no rate and no time of arrival', () => {
    const { rates, etaMs, status } = report(at(0, 500, 100))
    expect(rates).toMatchObject({ producedPerSecond: null, admittedPerSecond: null, settledPerSecond: null })
    expect(etaMs).toBeNull()
    expect(status).toBe('UNKNOWN')
  })

  test('two readings give rates and the time left', () => {
    const { rates, etaMs, status } = report(at(0, 500, 100), at(10_000, 600, 300))
    expect(rates).toMatchObject({ producedPerSecond: 10, admittedPerSecond: 20, settledPerSecond: 20 })
    expect(etaMs).toBe(((300 + 10) / 20) * 1000)
    expect(status).toBe('CATCHING_UP')
  })

  test('another ledger begins a new history', () => {
    const { rates, samples } = report(at(0, 500, 400), at(10_000, 500, 100, 'b'))
    expect(rates.settledPerSecond).toBeNull()
    expect(samples).toBe(1)
  })

  test('readings older than the window no longer count', () => {
    const { rates } = report(at(0, 1000, 0 + 10), at(40_000, 1000, 500), at(50_000, 1000, 600))
    expect(rates).toMatchObject({ settledPerSecond: 10, windowMs: 10_000 })
  })

  test('nothing to do needs no time', () => {
    expect(report(reading({ end: 5, progress: [[0, progressOf(5, 5, 0)]] })).etaMs).toBe(0)
  })
})

describe('the status of a partition', () => {
  const working = {
    end: 100,
    progress: [[0, progressOf(10, 50, 20)]] as const,
    obligations: [obligationOf(0, 20)]
  }

  test('OK when all is settled', () => {
    expect(report(reading({ end: 5, committed: 5, progress: [[0, progressOf(5, 5, 0)]] })).status).toBe('OK')
  })

  test('LOST when retention passed what was not finished', () => {
    const lost = report(reading({ ...working, start: 15 }))
    expect(lost.status).toBe('LOST')
    expect(lost.because).toContain('offsets 10 to 14')
    expect(lost.totals.expired).toBe(5)
  })

  test('nothing is lost when retention removes what was finished', () => {
    expect(report(reading({ start: 9, end: 9, progress: [[0, progressOf(5, 9, 1)]] })).status).toBe('LOST')
    expect(report(reading({ start: 9, end: 9, progress: [[0, progressOf(9, 9, 0)]] })).status).toBe('OK')
  })

  test('JUMPED when the log ends before what was admitted, or a commit is beyond the watermark', () => {
    expect(report(reading({ end: 7, progress: [[0, progressOf(9, 9, 0)]] })).status).toBe('JUMPED')
    expect(report(reading({ end: 9, committed: 8, progress: [[0, progressOf(5, 9, 1)]] })).status).toBe(
      'JUMPED'
    )
  })

  test('REWOUND when a committed offset fell', () => {
    const before = reading({ ...working, committed: 9 })
    expect(report(before, reading({ ...working, nowMs: 2000, committed: 3 })).status).toBe('REWOUND')
  })

  test('AT_RISK when retention comes near', () => {
    const risk = reading({ ...working, nowMs: 70_000, unsettledMs: 10_000, retentionMs: 100_000 })
    expect(report(risk)).toMatchObject({ status: 'AT_RISK' })
    expect(report(risk).because).toContain('40 %')
  })

  test('STOPPED when no embedder of its lane is alive', () => {
    const stopped = report(reading({ ...working, nowMs: 100, instances: [liveInstance(50)] }))
    expect(stopped.status).toBe('STOPPED')
  })

  test('THROTTLED when admission is paused, with the reason', () => {
    const paused = report(reading({ ...working, pausedBecause: 'maintenance' }))
    expect(paused).toMatchObject({ status: 'THROTTLED', because: expect.stringContaining('maintenance') })
  })

  test('STALLED when neither admission nor settlement moves', () => {
    const still = (nowMs: number) => reading({ ...working, nowMs })
    expect(report(still(0), still(59_000)).status).not.toBe('STALLED')
    expect(report(still(0), still(30_000), still(61_000)).status).toBe('STALLED')
  })

  test('BLOCKED when one record holds the watermark while the rest goes on', () => {
    const moving = (nowMs: number, frontier: number) =>
      reading({
        nowMs,
        end: 1000,
        progress: [[0, progressOf(10, frontier, 1)]],
        obligations: [obligationOf(0, 1)]
      })
    const blocked = report(moving(0, 100), moving(30_000, 200), moving(61_000, 300))
    expect(blocked.status).toBe('BLOCKED')
    expect(blocked.because).toContain('offset 10')
  })

  test('an idle partition does not stall, however long it is idle', () => {
    const idle = (nowMs: number, end: number) => reading({ nowMs, end, progress: [[0, progressOf(5, 5, 0)]] })
    expect(report(idle(0, 5), idle(500_000, 5), idle(500_100, 6)).status).not.toBe('STALLED')
  })

  test('SLOW when documents arrive faster than they are settled', () => {
    const at = (nowMs: number, end: number, frontier: number) =>
      reading({
        nowMs,
        end,
        progress: [[0, progressOf(frontier, frontier, 0)]],
        counts: { admitted: frontier }
      })
    expect(report(at(0, 100, 10), at(10_000, 900, 100)).status).toBe('SLOW')
  })
})
