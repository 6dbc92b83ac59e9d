import { describe, expect, test } from 'vitest'
import { analyse } from '../../../../services/controller/src/switching/analysis/analyse.ts'
import {
  factsOf,
  manifest,
  mixture,
  nowMs,
  outlooks,
  switchReportOf,
  type Scene
} from '../../../support/analysis-facts.ts'

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
