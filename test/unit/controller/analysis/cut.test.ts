import { describe, expect, test } from 'vitest'
import { analyse } from '../../../../services/controller/src/switching/analysis/analyse.ts'
import {
  factsOf,
  hourMs,
  manifest,
  mixture,
  nowMs,
  outlooks,
  running,
  switchReportOf
} from '../../../support/analysis-facts.ts'
import { obligationOf } from '../../../support/survey.ts'

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
      beforeDeadline: null,
      basis: 'until the last job has ended; none was completed yet'
    })
    const patient = outlooks({ wish: { deadlineMs: 25 * hourMs }, obligations: [running('job', 10, 0)] })
    expect(patient.drain.cut).toMatchObject({ expectedMs: null, beforeDeadline: true })
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
