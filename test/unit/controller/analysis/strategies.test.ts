import type { ObligationId } from '@pointsman/core/domain/identity'
import { describe, expect, test } from 'vitest'
import { analyse } from '../../../../services/controller/src/switching/analysis/analyse.ts'
import type { StrategyOutlook } from '../../../../services/controller/src/switching/analysis/analysis-report.ts'
import {
  factsOf,
  hourMs,
  manifest,
  nowMs,
  running,
  type Scene,
  switchReportOf
} from '../../../support/analysis-facts.ts'
import { obligationOf } from '../../../support/survey.ts'

function outlooks(scene: Scene): Record<StrategyOutlook['strategy'], StrategyOutlook> {
  const [detach, drain, force] = analyse(factsOf(scene)).strategies
  if (!detach || !drain || !force) throw new Error('a strategy is missing')
  return { detach, drain, force }
}

/** One of each state. */
const mixture = [
  manifest('open', 'open'),
  manifest('sealed', 'sealed'),
  manifest('uploaded', 'uploaded', { lines: 20 }),
  manifest('submitting', 'submitting', { lines: 30 }),
  running('submitted', 40, 10),
  manifest('given-up', 'submitted', { lines: 5, submittedMs: nowMs - hourMs, order: 'abandon' }),
  manifest('terminal', 'terminal', { lines: 50, completed: 50 }),
  obligationOf(1, 7, { id: 'request' as ObligationId, state: 'paying' })
]

describe('what becomes of jobs', () => {
  test('detach takes apart what is open, and lets the rest go on', () => {
    const { detach } = outlooks({ obligations: mixture })
    expect(detach.released).toEqual({ jobs: ['open'], documents: 10, toTarget: 10 })
    expect(detach.goingOn.jobs.toSorted()).toEqual(
      ['given-up', 'sealed', 'submitted', 'submitting', 'terminal', 'uploaded'].toSorted()
    )
    expect(detach.goingOn).toMatchObject({ requests: 1, documents: 7 + 10 + 20 + 30 + 40 + 5 + 50 })
    expect(detach.waitedFor).toMatchObject({ requests: 0, jobs: [] })
    expect(detach.cancelled.jobs).toEqual([])
  })

  test('drain waits for what detach would let go on', () => {
    const { detach, drain } = outlooks({ obligations: mixture })
    expect(drain.waitedFor).toEqual(detach.goingOn)
    expect(drain.goingOn).toMatchObject({ requests: 0, jobs: [] })
    expect(drain.released).toEqual(detach.released)
  })

  test('force takes apart what was not sent, and cancels what runs, except what is given up already', () => {
    const { force } = outlooks({ obligations: mixture })
    expect(force.released).toMatchObject({
      jobs: ['open', 'sealed', 'uploaded'],
      documents: 40,
      toTarget: 40
    })
    expect(force.cancelled.jobs).toEqual(['submitting', 'submitted'])
    expect(force.goingOn.jobs).toEqual(['given-up', 'terminal'])
  })

  test('what force cancels: done lines are kept, the rest is paid at the new price, and twice at most once', () => {
    const { force } = outlooks({
      obligations: [
        manifest('a', 'submitted', {
          lines: 100,
          tokens: 1_000_000,
          completed: 40,
          failed: 10,
          submittedMs: nowMs - 1
        })
      ]
    })
    expect(force.cancelled).toEqual({
      jobs: ['a'],
      linesKept: 40,
      linesAnew: 50,
      tokensAnew: 500_000,
      anewUsd: 1,
      atMostTwice: { lines: 50, tokens: 500_000, usd: 0.5 }
    })
    expect(force.moves).toMatchObject({ nowUsd: 0.5, thenUsd: 1, differenceUsd: 0.5 })
  })

  test('with a share, what is taken apart goes where its lowest partition goes', () => {
    const parts = (...partitions: number[]) => ({ parts: new Map(partitions.map(each => [each, 5])) })
    const { detach } = outlooks({
      lanes: ['batch', 'batch', 'batch', 'batch'],
      wish: { share: 0.5 },
      obligations: [
        manifest('moves', 'open', {}, parts(1, 3)),
        manifest('stays', 'open', {}, parts(2, 3)),
        manifest('none', 'open', {}, parts())
      ]
    })
    expect(detach.released).toEqual({ jobs: ['moves', 'stays', 'none'], documents: 20, toTarget: 10 })
  })
})

describe('the time to the cut', () => {
  test('without a past switch detach and force take less than a second', () => {
    const { detach, force } = outlooks({ obligations: mixture })
    for (const { cut } of [detach, force]) {
      expect(cut).toMatchObject({ basis: 'under a second', beforeDeadline: true })
    }
  })

  test('past cuts tell it: those that waited for nothing', () => {
    const switches = [
      switchReportOf({ tookMs: 40 }),
      switchReportOf({ strategy: 'drain', tookMs: 90_000 }),
      switchReportOf({ state: 'aborted', tookMs: 70_000 }),
      switchReportOf({ strategy: 'force', tookMs: 60 }),
      switchReportOf({ tookMs: 50 })
    ]
    expect(outlooks({ switches }).detach.cut).toMatchObject({
      expectedMs: 50,
      basis: 'median of the last 3 cuts'
    })
  })

  test.each([
    ['nothing in flight: at once', [], 'under a second', 1000, true],
    [
      'requests alone: seconds',
      [obligationOf(0, 5, { state: 'paying' })],
      'requests take seconds',
      5000,
      true
    ]
  ])('of a drain: %s', (_, obligations, basis, expectedMs, beforeDeadline) => {
    expect(outlooks({ obligations }).drain.cut).toMatchObject({ basis, expectedMs, beforeDeadline })
  })

  test('of a drain: until the job that ends last, by the median of past jobs and its age', () => {
    const tookMs = [2 * hourMs, 3 * hourMs, 8 * hourMs]
    const { drain } = outlooks({
      tookMs,
      obligations: [running('young', 10, 0, hourMs / 2), running('old', 10, 0, 2 * hourMs)]
    })
    expect(drain.cut).toMatchObject({
      expectedMs: 2.5 * hourMs,
      latestMs: 25.5 * hourMs,
      beforeDeadline: false,
      basis: 'until the last job has ended; median of the last 3 jobs'
    })
    const longer = outlooks({
      tookMs,
      wish: { deadlineMs: 3 * hourMs },
      obligations: [running('young', 10, 0, hourMs / 2)]
    })
    expect(longer.drain.cut).toMatchObject({ beforeDeadline: true })
  })

  test('of a drain: a job older than the median is measured by the longest, and older than that by nothing', () => {
    const tookMs = [hourMs, hourMs, 5 * hourMs]
    const cutOf = (ageMs: number) =>
      outlooks({ tookMs, obligations: [running('job', 10, 0, ageMs)] }).drain.cut
    expect(cutOf(3 * hourMs)).toMatchObject({ expectedMs: 2 * hourMs, latestMs: 23 * hourMs })
    expect(cutOf(6 * hourMs)).toMatchObject({ expectedMs: null, latestMs: 20 * hourMs, beforeDeadline: null })
    expect(cutOf(27 * hourMs)).toMatchObject({ expectedMs: null, latestMs: null })
  })

  test('of a drain: a controller without past jobs knows only the latest', () => {
    expect(outlooks({ obligations: [running('job', 10, 0)] }).drain.cut).toMatchObject({
      expectedMs: null,
      latestMs: 25 * hourMs,
      basis: 'until the last job has ended; none was completed yet'
    })
  })

  test('of a drain: nobody knows when while no embedder of the batch lane lives', () => {
    const { drain } = outlooks({ tookMs: [hourMs], away: 'batch', obligations: [running('job', 10, 0, 0)] })
    expect(drain.cut).toMatchObject({ expectedMs: null, basis: expect.stringContaining('no embedder-batch') })
  })

  test('jobs that are not sent wait for a place, and one that is cancelled ends soon', () => {
    const { jobs } = analyse(
      factsOf({
        tookMs: [hourMs],
        obligations: [
          running('a', 10, 0, hourMs / 2),
          manifest('b', 'uploaded', { lines: 1 }),
          manifest('c', 'sealed', { notBeforeMs: nowMs + 5000 }),
          manifest('d', 'sealed'),
          manifest('e', 'submitted', { lines: 1, submittedMs: nowMs, order: 'cancel' })
        ]
      })
    )
    // Two places at the provider, and both are taken.
    expect(jobs.map(({ id, expectedEndMs }) => [id, expectedEndMs && expectedEndMs - nowMs])).toEqual([
      ['a', hourMs / 2],
      ['b', 2 * hourMs],
      ['c', 5000 + 2 * hourMs],
      ['d', 3 * hourMs],
      ['e', 600_000]
    ])
  })
})

describe('what is possible', () => {
  const codes = (scene: Scene) =>
    Object.values(outlooks(scene)).map(({ possible, refusal }) => [possible, refusal?.code ?? null])

  test.each<[string, Scene, string | null, string | null]>([
    ['all', {}, null, null],
    ['no force for a share', { wish: { share: 0.5 } }, null, 'FORCE_NEEDS_ALL'],
    ['nothing without partitions', { lanes: [] }, 'NO_PARTITIONS', 'NO_PARTITIONS'],
    [
      'no share below what is',
      { lanes: ['realtime', 'realtime'], wish: { share: 0.5 } },
      'SHARE_FALLS',
      'FORCE_NEEDS_ALL'
    ],
    [
      'nothing while the target lane is not ready',
      { notReady: 'realtime' },
      'STANDBY_NOT_READY',
      'STANDBY_NOT_READY'
    ],
    [
      'nothing while a switch is under way',
      { current: switchReportOf({ state: 'draining' }) },
      'SWITCH_UNDER_WAY',
      'SWITCH_UNDER_WAY'
    ],
    [
      'nothing while the ledger drains',
      { draining: { epoch: 7, sinceMs: 1 } },
      'SWITCH_UNDER_WAY',
      'SWITCH_UNDER_WAY'
    ],
    ['what is so already, even if nobody is ready', { lanes: ['realtime'], notReady: 'realtime' }, null, null]
  ])('%s', (_, scene, others, force) => {
    const outlook = (code: string | null) => [code === null, code]
    expect(codes(scene)).toEqual([outlook(others), outlook(others), outlook(force)])
  })

  test('what is so already touches nothing, whatever runs', () => {
    const report = analyse(factsOf({ lanes: ['realtime', 'realtime'], obligations: mixture }))
    expect(report).toMatchObject({ unchanged: true, partitions: { moving: [], staying: [0, 1] } })
    for (const outlook of report.strategies) {
      expect(outlook).toMatchObject({
        cut: null,
        released: { jobs: [] },
        cancelled: { jobs: [] },
        goingOn: { jobs: [] },
        differenceUsd: 0
      })
    }
    expect(report.recommendation).toMatchObject({
      strategy: null,
      reason: expect.stringContaining('nothing to do')
    })
  })

  test('in mixed lanes only those move that are not there yet, the lowest first', () => {
    const lanes = ['batch', 'realtime', 'batch', 'batch'] as const
    expect(analyse(factsOf({ lanes, wish: { share: 0.5 } })).partitions).toEqual({
      moving: [0],
      staying: [1, 2, 3],
      realtime: 1,
      batch: 3
    })
    expect(analyse(factsOf({ lanes })).partitions).toMatchObject({ moving: [0, 2, 3], staying: [1] })
  })
})

describe('stages', () => {
  test('every document that is not settled is in one of them', () => {
    const waiting = obligationOf(0, 3, { id: 'orphan' as ObligationId, kind: 'orphan', owner: undefined })
    const { inFlight } = analyse(factsOf({ unread: 50, obligations: [...mixture, waiting] }))
    expect(
      inFlight.map(({ stage, obligations, documents, tokens }) => [stage, obligations, documents, tokens])
    ).toEqual([
      ['unread', 0, 100, null],
      ['admitted', 0, 0, null],
      ['paying', 1, 7, null],
      ['open', 1, 10, null],
      ['sealed', 1, 10, null],
      ['uploaded', 1, 20, 200],
      ['submitting', 1, 30, 300],
      ['submitted', 2, 45, 450],
      ['terminal', 1, 50, 500],
      ['waiting', 1, 3, null]
    ])
  })

  test('an empty pipeline has all of them, with nothing in them', () => {
    const report = analyse(factsOf())
    expect(report.inFlight.every(({ documents, obligations }) => documents + obligations === 0)).toBe(true)
    expect(report).toMatchObject({ jobs: [], warnings: [], turnaround: null })
  })
})

describe('costs', () => {
  const counts = { admitted: 1000, necessaryTokens: 50_000 }

  test('the backlog that moves costs as much as past documents did, at the price of the other lane', () => {
    const { backlog } = analyse(
      factsOf({
        target: 'batch',
        lanes: ['realtime', 'realtime', 'batch'],
        unread: 10_000,
        counts,
        tookMs: [hourMs]
      })
    )
    expect(backlog).toMatchObject({
      documents: 20_000,
      tokens: 1_000_000,
      tokensPerDocument: 50,
      realtime: { usd: 2, expectedMs: 60_000 },
      // Twenty jobs of at most 1,000 lines, two at once.
      batch: { usd: 1, expectedMs: 10 * hourMs },
      differenceUsd: -1
    })
  })

  test('nothing is said before anything was paid for', () => {
    const { backlog, strategies } = analyse(factsOf({ unread: 5 }))
    expect(backlog).toMatchObject({
      documents: 10,
      tokens: null,
      realtime: { usd: null },
      differenceUsd: null
    })
    expect(strategies.map(({ differenceUsd }) => differenceUsd)).toEqual([null, null, null])
  })

  test('nothing is said of a model without a price, except that nothing costs nothing', () => {
    const prices = { realtime: undefined, batch: undefined }
    const told = outlooks({ prices, unread: 5, counts, obligations: [running('job', 10, 5)] })
    expect(told.detach.differenceUsd).toBeNull()
    expect(told.force.cancelled).toMatchObject({ tokensAnew: 50, anewUsd: null, atMostTwice: { usd: null } })
    expect(outlooks({ prices }).detach.differenceUsd).toBe(0)
  })

  test('orphans come at the price of the lane that adopts them', () => {
    const orphan = (partition: number) =>
      obligationOf(partition, 10_000, {
        id: `o.${partition}` as ObligationId,
        kind: 'orphan',
        owner: undefined
      })
    const { detach } = outlooks({
      lanes: ['batch', 'realtime'],
      counts,
      obligations: [orphan(0), orphan(1)]
    })
    expect(detach.moves).toMatchObject({ documents: 10_000, nowUsd: 0.5, thenUsd: 1, differenceUsd: 0.5 })
  })
})
