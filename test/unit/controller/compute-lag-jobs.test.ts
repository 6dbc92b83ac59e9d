import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Obligation, PartitionProgress } from '@pointsman/core/ports/ledger'
import { describe, expect, test } from 'vitest'
import { jobOf } from '../../support/job.ts'
import { reading, report, type Situation } from '../../support/lag-reading.ts'
import { liveInstance, obligationOf, progressOf } from '../../support/survey.ts'

const hourMs = 3_600_000

describe('documents that wait for jobs', () => {
  const manifest = (fields: Partial<Obligation> = {}): Obligation =>
    obligationOf(0, 40, {
      id: 'm.1' as ObligationId,
      kind: 'manifest',
      state: 'submitted',
      job: jobOf({}),
      ...fields
    })
  const batch = (unsettled: number, frontier = 50): readonly (readonly [number, PartitionProgress])[] => [
    [0, { ...progressOf(10, frontier, unsettled), lane: 'batch' }]
  ]
  const embedder = { ...liveInstance(), instance: 'embedder-batch-1', service: 'embedder-batch' }
  const waiting = (nowMs: number, situation: Partial<Situation> = {}) =>
    reading({
      nowMs,
      end: 50,
      progress: batch(40),
      obligations: [manifest()],
      instances: [embedder],
      ...situation
    })

  test('are a stage of their own', () => {
    const { totals } = report(waiting(0))
    expect(totals.stages).toEqual({ admitted: 0, paying: 0, inJobs: 40, waiting: 0, unaccounted: 0 })
  })

  test('do not stall the batch lane, however long the job takes', () => {
    expect(report(waiting(0), waiting(40_000), waiting(20 * hourMs))).toMatchObject({
      status: 'WAITING',
      because: expect.stringContaining('40 documents wait for jobs')
    })
  })

  test('do not stall it either when all jobs are taken and admission waits', () => {
    const full = (nowMs: number) => waiting(nowMs, { end: 900 })
    expect(report(full(0), full(40_000), full(20 * hourMs)).status).toBe('CATCHING_UP')
  })

  test('without a job, a batch lane that admits nothing is stalled', () => {
    const idle = (nowMs: number) =>
      waiting(nowMs, {
        end: 900,
        progress: [[0, { ...progressOf(10, 10, 0), lane: 'batch' }]],
        obligations: []
      })
    expect(report(idle(0), idle(30_000), idle(61_000)).status).toBe('STALLED')
  })

  test('a job past its deadline blocks, and is named', () => {
    const late = (nowMs: number) =>
      waiting(nowMs, { obligations: [manifest({ job: jobOf({ submittedMs: 1 }) })] })
    const told = report(late(25 * hourMs), late(26 * hourMs + 2))
    expect(told).toMatchObject({ status: 'BLOCKED', because: expect.stringContaining('m.1') })
    expect(report(late(24 * hourMs), late(25 * hourMs)).status).toBe('WAITING')
  })

  test('a job that began before a switch may hold W in the realtime lane', () => {
    const switched = (nowMs: number) =>
      reading({
        nowMs,
        end: 50,
        progress: [[0, progressOf(10, 50, 40)]],
        obligations: [manifest()],
        blocking: 'm.1' as ObligationId
      })
    expect(report(switched(0), switched(30_000), switched(61_000)).status).toBe('WAITING')
  })
})
