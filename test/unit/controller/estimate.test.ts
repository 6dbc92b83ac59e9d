import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Lane } from '@pointsman/core/domain/lane'
import type { Job } from '@pointsman/core/ports/job'
import type { PastJob } from '@pointsman/core/ports/ledger'
import { textHash } from '@pointsman/core/runtime/identity'
import { afterEach, describe, expect, test } from 'vitest'
import { BillOfTexts } from '../../../services/controller/src/estimate/bill-of-texts.ts'
import { defaultBasis } from '../../../services/controller/src/estimate/default-basis.ts'
import { basisOf } from '../../../services/controller/src/estimate/estimate-basis.ts'
import { Pace } from '../../../services/controller/src/estimate/pace.ts'
import { reckon } from '../../../services/controller/src/estimate/reckon.ts'
import { json, local, serveApi } from '../../support/controller-api.ts'
import { jobOf } from '../../support/job.ts'
import { MemoryJobs } from '../../support/memory-jobs.ts'
import { documentOf } from '../../support/memory-world.ts'

const hourMs = 3_600_000

const cleanUps: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

describe('jobs that texts are packed into', () => {
  const bounds = { maxLines: 3, maxBytes: 100, maxTokens: 50 }
  const packed = (count: number, tokens: number, lineBytes: number) => {
    const bill = new BillOfTexts(bounds)
    for (let number = 0; number < count; number += 1) bill.add(tokens, lineBytes)
    return bill.total
  }

  test.each([
    ['none without a text', 0, 1, 1, 0],
    ['by lines', 6, 1, 1, 2],
    ['one more line, one more job', 7, 1, 1, 3],
    ['by bytes', 4, 1, 50, 2],
    ['by tokens', 4, 25, 1, 2],
    ['a text alone may be larger than a job should be', 2, 80, 1, 2]
  ])('%s', (_, count, tokens, lineBytes, jobs) => {
    expect(packed(count, tokens, lineBytes)).toEqual({ texts: count, tokens: count * tokens, jobs })
  })
})

describe('costs and durations', () => {
  const basis = defaultBasis({})
  const pastJob = (fields: Partial<Job>): PastJob => ({
    ...jobOf({ status: 'completed', ...fields }),
    manifest: '1.1.1' as ObligationId,
    sinceMs: 0,
    archivedMs: 0
  })

  test('a job costs half; without anything measured, the limit of the provider tells the time', () => {
    const reckoned = reckon({ texts: 1_000_000, tokens: 300_000_000, jobs: 12 }, basis)
    expect(reckoned.realtime).toMatchObject({
      usd: 6,
      expectedMs: 300 * 60_000,
      basis: '1,000,000 tokens a minute'
    })
    expect(reckoned.batch).toMatchObject({ usd: 3, expectedMs: null, jobs: 12, atMostMs: 3 * 24 * hourMs })
    expect(reckoned.savingUsd).toBe(3)
  })

  test('the pace that was measured, and how long jobs took, tell more', () => {
    const measured = basisOf({
      model: 'text-embedding-3-small',
      prices: { realtime: 0.02, batch: 0.01 },
      settings: { tokensPerMinute: 1, maxLines: 10, maxBytes: 10, maxTokens: 10, maxJobs: 5 },
      documentsPerSecond: 100,
      pastJobs: [
        pastJob({ submittedMs: 1000, endedMs: 1000 + 2 * hourMs }),
        pastJob({ submittedMs: 1000, endedMs: 1000 + 9 * hourMs }),
        pastJob({ submittedMs: 1000, endedMs: 1000 + hourMs }),
        pastJob({ status: 'cancelled', submittedMs: 1000, endedMs: 1001 }),
        pastJob({ submittedMs: 0, endedMs: 5 })
      ]
    })
    expect(measured.batch.turnaround).toEqual({ jobs: 3, medianMs: 2 * hourMs, longestMs: 9 * hourMs })
    const { realtime, batch } = reckon({ texts: 1000, tokens: 1, jobs: 6 }, measured)
    expect(realtime).toMatchObject({ expectedMs: 10_000, basis: 'measured: 100 documents a second' })
    expect(batch).toMatchObject({
      expectedMs: 4 * hourMs,
      atMostMs: 48 * hourMs,
      basis: 'median of the last 3 jobs'
    })
  })

  test('nothing to pay costs nothing and takes no time', () => {
    const { realtime, batch, savingUsd } = reckon({ texts: 0, tokens: 0, jobs: 0 }, basis)
    expect(realtime).toMatchObject({ usd: 0, expectedMs: 0 })
    expect(batch).toMatchObject({ usd: 0, expectedMs: 0, atMostMs: 0 })
    expect(savingUsd).toBe(0)
  })

  test('the price of an unknown model is unknown, unless it is set', () => {
    const unknown = defaultBasis({ EMBEDDING_MODEL: 'house-model' })
    expect(reckon({ texts: 1, tokens: 1, jobs: 1 }, unknown)).toMatchObject({
      realtime: { usd: null },
      batch: { usd: null },
      savingUsd: null
    })
    const set = defaultBasis({ EMBEDDING_MODEL: 'house-model', EMBEDDING_USD_PER_MILLION_TOKENS: '4' })
    expect(set.usdPerMillionTokens).toEqual({ realtime: 4, batch: 2 })
  })
})

describe('the pace of the realtime lane', () => {
  const view = (
    unread: number,
    settledPerSecond: number,
    fields: { windowMs?: number; lane?: Lane } = {}
  ) => ({
    report: {
      totals: { unread },
      rates: { settledPerSecond, windowMs: fields.windowMs ?? 30_000 },
      partitions: [{ lane: fields.lane ?? 'realtime' }]
    }
  })

  test('is taken while there is a backlog, and kept when there is none', () => {
    const pace = new Pace()
    for (const seen of [view(900, 50), view(800, 60), view(0, 5), view(0, 0)]) pace.note(seen)
    expect(pace.documentsPerSecond).toBe(60)
  })

  test('is not told by a trickle, a moment, or the batch lane', () => {
    const pace = new Pace()
    const told = [
      view(0, 3),
      view(5, 3),
      view(0, 3),
      view(9, 70, { windowMs: 2000 }),
      view(9, 70, { windowMs: 2000 })
    ]
    for (const seen of [...told, view(9, 900, { lane: 'batch' }), view(9, 900, { lane: 'batch' })])
      pace.note(seen)
    expect(pace.documentsPerSecond).toBeNull()
  })
})

describe('the API', () => {
  test('tells prices, bounds, and how long jobs took', async () => {
    const { api, world } = await serveApi()
    cleanUps.push(() => api.close())
    const jobs = await MemoryJobs.open(world)
    const times = { submittedMs: 1000, endedMs: 1000 + hourMs }
    await jobs.archive(await jobs.begin(1, 'terminal', { status: 'completed', ...times }))
    expect((await api.inject({ url: '/v1/estimate/basis', headers: local })).json()).toMatchObject({
      usdPerMillionTokens: { realtime: 1, batch: 0.5 },
      batch: { maxLines: 50_000, turnaround: { jobs: 1, medianMs: hourMs, longestMs: hourMs } }
    })
  })

  test('tells which texts are in the index', async () => {
    const { api, world } = await serveApi()
    cleanUps.push(() => api.close())
    await world.produce(documentOf('a', 'known'))
    await world.drain()
    const ask = (textHashes: readonly string[]) =>
      api.inject({ method: 'POST', url: '/v1/estimate/indexed', headers: json, payload: { textHashes } })
    expect((await ask([textHash('new'), textHash('known')])).json()).toEqual({ indexed: [false, true] })
    expect((await ask(['nonsense'])).statusCode).toBe(422)
  })
})
