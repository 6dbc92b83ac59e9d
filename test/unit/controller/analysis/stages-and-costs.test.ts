import type { ObligationId } from '@pointsman/core/domain/identity'
import { describe, expect, test } from 'vitest'
import { analyse } from '../../../../services/controller/src/switching/analysis/analyse.ts'
import { factsOf, hourMs, mixture, outlooks, running } from '../../../support/analysis-facts.ts'
import { obligationOf } from '../../../support/survey.ts'

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

  test('what is not finished yet tells nothing about the size of a document', () => {
    const { backlog } = analyse(factsOf({ unsettled: 250, counts }))
    expect(backlog.tokensPerDocument).toBe(100)
    expect(analyse(factsOf({ unsettled: 500, counts })).backlog.tokensPerDocument).toBeNull()
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
