import type { ObligationId } from '@pointsman/core/domain/identity'
import { describe, expect, test } from 'vitest'
import { analyse } from '../../../../services/controller/src/switching/analysis/analyse.ts'
import {
  type WarningCode,
  warningCodes
} from '../../../../services/controller/src/switching/analysis/analysis-report.ts'
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

const request = obligationOf(0, 5, { state: 'paying' })
const orphan = (restMs: number) =>
  obligationOf(0, 8, {
    id: `o.${restMs}` as ObligationId,
    kind: 'orphan',
    owner: undefined,
    reason: 'its line failed',
    notBeforeMs: nowMs + restMs
  })

interface Case {
  readonly scene: Scene
  readonly text: string | RegExp
  readonly remedy: string
  /** As the scene, but this warning has no reason in it. */
  readonly without: Scene
}

const cases: Readonly<Record<WarningCode, Case>> = {
  NO_PARTITIONS: {
    scene: { lanes: [] },
    text: 'the ledger knows no partition yet',
    remedy: 'start an embedder',
    without: {}
  },
  SWITCH_UNDER_WAY: {
    scene: { current: switchReportOf({ switchId: 'abc', state: 'draining' }) },
    text: 'switch abc to realtime is draining',
    remedy: 'pointsman switch abort',
    without: { switches: [switchReportOf({})] }
  },
  SHARE_FALLS: {
    scene: { lanes: ['realtime', 'realtime'], wish: { share: 0.5 } },
    text: 'realtime has 2 of 2 partitions already',
    remedy: 'switch the other way',
    without: { lanes: ['realtime', 'batch'], wish: { share: 0.5 } }
  },
  STANDBY_NOT_READY: {
    scene: { notReady: 'realtime' },
    text: 'the realtime lane is not ready: embedder-realtime-1: its disk is full',
    remedy: '--even-if-unready',
    without: { notReady: 'batch' }
  },
  OTHER_LANE_AWAY: {
    scene: { away: 'batch', obligations: [running('job', 10, 0)] },
    text: 'no embedder-batch is alive, and 1 job of that lane did not end',
    remedy: 'only it reads the results of jobs',
    without: { away: 'batch', obligations: [request] }
  },
  PAUSED: {
    scene: { pausedBecause: 'the index moves' },
    text: /admission is paused by test for .*: the index moves/,
    remedy: 'pointsman resume',
    without: {}
  },
  STALE_JOBS: {
    scene: { obligations: [running('young', 10, 0), running('old', 10, 0, 27 * hourMs)] },
    text: /1 job past our own deadline, the oldest .* old: old$/,
    remedy: 'jobs abandon',
    without: { obligations: [running('young', 10, 0, 25 * hourMs)] }
  },
  NEARLY_DONE: {
    scene: { obligations: [running('near', 100, 90), running('far', 100, 89)] },
    text: '1 job nearly done (90 of 100 lines: near)',
    remedy: 'take detach',
    without: { obligations: [running('far', 100, 89)] }
  },
  FORCE_GAINS_NOTHING: {
    scene: { target: 'batch', obligations: [running('job', 10, 0)] },
    text: 'force cancels 1 job, and what is left of them goes into new jobs',
    remedy: 'take detach',
    without: { target: 'realtime', obligations: [running('job', 10, 0)] }
  },
  WAITING_ORPHANS: {
    scene: { obligations: [orphan(0), orphan(20_000), orphan(40_000)] },
    text: '24 documents wait to be adopted (the oldest: its line failed); 2 of 3 orphans rest, the first for 20 s more',
    remedy: 'adopts them',
    without: { obligations: [request] }
  },
  DRAIN_TOO_LONG: {
    scene: { tookMs: [2 * hourMs], obligations: [running('job', 10, 0)] },
    text: 'a drain takes about 1 h 0 min, 25 h 0 min at the latest: it is aborted after 10 min 0 s',
    remedy: '--deadline',
    without: { tookMs: [2 * hourMs], obligations: [running('job', 10, 0)], wish: { deadlineMs: 2 * hourMs } }
  },
  RETENTION_SHORT: {
    scene: { obligations: [request], retention: { leftMs: 15 * 60_000, leftShare: 0.01 } },
    text: 'the oldest unfinished record of partition 0 expires in 15 min 0 s, and a drain may stop admission for 10 min 0 s',
    remedy: 'retention.ms',
    without: { obligations: [request], retention: { leftMs: 20 * 60_000, leftShare: 0.01 } }
  },
  PRICE_UNKNOWN: {
    scene: { prices: { realtime: undefined, batch: undefined } },
    text: 'the price of some-model is not known',
    remedy: 'EMBEDDING_USD_PER_MILLION_TOKENS',
    without: {}
  }
}

function warningsIn(scene: Scene) {
  return analyse(factsOf(scene)).warnings
}

describe('a warning', () => {
  test.each(Object.entries(cases))('%s is told with its remedy, and not without cause', (code, each) => {
    const [found, ...more] = warningsIn(each.scene).filter(warning => warning.code === code)
    expect(more).toEqual([])
    expect(found?.text).toMatch(each.text)
    expect(found?.remedy).toContain(each.remedy)
    expect(warningsIn(each.without).map(warning => warning.code)).not.toContain(code)
  })

  test('comes before those that are less grave', () => {
    const codes = warningsIn({
      prices: { realtime: undefined, batch: 1 },
      notReady: 'realtime',
      pausedBecause: 'why',
      obligations: [running('old', 10, 10, 27 * hourMs), orphan(0)]
    }).map(({ code }) => code)
    expect(codes).toEqual(warningCodes.filter(code => codes.includes(code)))
    expect(codes.length).toBeGreaterThan(4)
  })

  test('about many jobs names five of them', () => {
    const obligations = [1, 2, 3, 4, 5, 6, 7].map(number => running(`j${number}`, 10, 0, 27 * hourMs))
    const [stale] = warningsIn({ obligations }).filter(({ code }) => code === 'STALE_JOBS')
    expect(stale?.text).toMatch(/^7 jobs .*: j1, j2, j3, j4, j5 and 2 more$/)
  })

  test('orphans that rest no more may be adopted now', () => {
    const [waiting] = warningsIn({ obligations: [orphan(0)] })
    expect(waiting?.text).toContain('they may be adopted now')
  })

  test('a drain of unknown length is aborted too', () => {
    const [tooLong] = warningsIn({ obligations: [running('job', 10, 0)] })
    expect(tooLong).toMatchObject({ code: 'DRAIN_TOO_LONG', strategies: ['drain'] })
    expect(tooLong?.text).toContain('how long a drain takes is not known, 25 h 0 min at the latest')
  })

  test('none is about the deadline of a drain that waits for nothing, or is not made', () => {
    expect(warningsIn({ retention: { leftMs: 1, leftShare: 0 } })).toEqual([])
    expect(warningsIn({ lanes: ['realtime'], obligations: [running('job', 10, 0)] })).toEqual([])
  })
})

describe('the recommendation', () => {
  const recommended = (scene: Scene) => analyse(factsOf(scene)).recommendation
  const far = { tookMs: [6 * hourMs] }

  test.each<[string, Scene, string | null, string]>([
    ['detach when nothing is in flight', {}, 'detach', 'nothing is in flight'],
    [
      'detach for requests',
      { target: 'batch', obligations: [request] },
      'detach',
      'end by themselves within seconds'
    ],
    [
      'detach for jobs, which go on',
      { obligations: [running('job', 10, 0)], unread: 1000, tookMs: [hourMs] },
      'detach',
      '1 job with 10 documents goes on in the background and is paid for once'
    ],
    [
      'detach for jobs nearly done',
      { obligations: [running('job', 10, 9)] },
      'detach',
      'force would gain little'
    ],
    [
      'force for jobs that were not sent while none runs',
      { obligations: [manifest('a', 'sealed'), manifest('b', 'uploaded', { lines: 3 })] },
      'force',
      '2 jobs not sent yet, and none runs'
    ],
    [
      'detach for jobs that were not sent while one runs',
      { obligations: [manifest('a', 'sealed'), running('job', 10, 0)] },
      'detach',
      '2 jobs with 20 documents'
    ],
    [
      'detach for jobs that were not sent on the way to the batch lane',
      { target: 'batch', obligations: [manifest('a', 'sealed')] },
      'detach',
      '1 job with 10 documents goes on'
    ],
    [
      'detach with a share, for which there is no force',
      { wish: { share: 0.5 }, obligations: [manifest('a', 'sealed')] },
      'detach',
      '1 job with 10 documents goes on'
    ],
    ['none while nobody is ready', { notReady: 'realtime' }, null, 'the realtime lane is not ready'],
    ['none while a switch is under way', { draining: { epoch: 3, sinceMs: 0 } }, null, 'epoch 3 is draining'],
    ['none without partitions', { lanes: [] }, null, 'no partition yet']
  ])('is %s', (_, scene, strategy, reason) => {
    expect(recommended(scene)).toEqual({ strategy, reason: expect.stringContaining(reason) })
  })

  test('names the price of force when nearly all is in jobs that are hours from their end', () => {
    const job = manifest('job', 'submitted', {
      lines: 1000,
      tokens: 2_000_000,
      completed: 500,
      submittedMs: nowMs - hourMs
    })
    const { reason, strategy } = recommended({ ...far, obligations: [job] })
    expect(strategy).toBe('detach')
    expect(reason).toBe(
      '1 job with 1,000 documents, nearly all there is, goes on in the background, for about 5 h 0 min more; if that is too late, force embeds at most 500 lines anew at once for $1.00 more, and at most $1.00 charged twice'
    )
    expect(recommended({ obligations: [job] }).reason).toContain('nobody knows how long')
    expect(recommended({ ...far, obligations: [job], unread: 1000 }).reason).not.toContain('too late')
    expect(recommended({ tookMs: [1.5 * hourMs], obligations: [job] }).reason).not.toContain('too late')
  })
})
