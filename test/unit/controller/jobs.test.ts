import { afterEach, describe, expect, test } from 'vitest'
import type { ObligationId } from '@pointsman/core/domain/identity'
import { json, local, serveApi } from '../../support/controller-api.ts'
import { MemoryJobs } from '../../support/memory-jobs.ts'

const hourMs = 3_600_000

const cleanUps: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

async function serve() {
  const { api, world } = await serveApi()
  cleanUps.push(() => api.close())
  const jobs = await MemoryJobs.open(world)
  const get = async (url: string) => (await api.inject({ url, headers: local })).json()
  const post = async (url: string, payload: object = {}) => {
    const answer = await api.inject({ method: 'POST', url, headers: json, payload })
    return { status: answer.statusCode, body: answer.json() }
  }
  const submitted = (documents: number, fields = {}): Promise<ObligationId> =>
    jobs.begin(documents, 'submitted', {
      lines: documents,
      tokens: documents * 10,
      batchId: `batch_${'abcdef'.repeat(3)}`,
      status: 'in_progress',
      submittedMs: world.clock.now,
      ...fields
    })
  return { api, world, jobs, get, post, submitted }
}

describe('the list of jobs', () => {
  test('names those that live with what waits for them, and those that are over', async () => {
    const { world, jobs, get, submitted } = await serve()
    const old = await jobs.begin(2, 'terminal', { lines: 2, tokens: 20, status: 'completed' })
    await jobs.archive(old, { paidTokens: 20 })
    const running = await submitted(3, { completed: 1, failed: 1 })
    const filling = await jobs.begin(1, 'open')
    world.clock.now += hourMs

    const { live, past } = await get('/v1/jobs')

    expect(live).toMatchObject([
      {
        id: running,
        state: 'submitted',
        status: 'in_progress',
        lines: { all: 3, done: 1, failed: 1 },
        documents: 3,
        tokens: 30,
        ageMs: hourMs,
        overdue: false,
        stale: false,
        instance: 'embedder-batch-1',
        ownerAlive: true
      },
      { id: filling, state: 'open', status: null, batchId: null, deadlines: null, documents: 1 }
    ])
    expect(live[0].expectedUsd).toBeCloseTo(30 * 0.5e-6, 12)
    expect(live[0].deadlines.providerMs - live[0].submittedMs).toBe(24 * hourMs)
    expect(past).toMatchObject([
      { id: old, state: 'archived', documents: 0, paidTokens: 20, ownerAlive: false }
    ])
    expect((await get('/v1/jobs?past=0')).past).toEqual([])
  })

  test('a job past the day of the provider is overdue, past our own deadline stale', async () => {
    const { world, get, submitted } = await serve()
    const id = await submitted(1)
    world.clock.now += 25 * hourMs
    expect(await get(`/v1/jobs/${id}`)).toMatchObject({ overdue: true, stale: false })
    world.clock.now += 2 * hourMs
    const stale = await get(`/v1/jobs/${id}`)
    expect(stale).toMatchObject({ overdue: true, stale: true })
    expect(stale.next).toContain('past our own deadline')
  })
})

describe('the name of a job', () => {
  test('may be its id, that of the batch, or the beginning of either', async () => {
    const { get, submitted, api } = await serve()
    const id = await submitted(1)
    for (const name of [id, 'batch_abcdefabcdefabcdef', 'batch_abc', id.slice(0, -1)]) {
      expect(await get(`/v1/jobs/${name}`)).toMatchObject({ id })
    }
    const unknown = await api.inject({ url: '/v1/jobs/batch_x', headers: local })
    expect(unknown.statusCode).toBe(404)
  })

  test('must not be the beginning of several', async () => {
    const { api, jobs, submitted } = await serve()
    const ids = [await submitted(1, { batchId: 'batch_one' }), await submitted(1, { batchId: 'batch_two' })]
    const answer = await api.inject({ url: `/v1/jobs/${jobs.owner}`, headers: local })
    expect(answer.statusCode).toBe(409)
    for (const id of ids) expect(answer.json().detail).toContain(id)
  })
})

describe('an order to cancel', () => {
  test('is left in the ledger, and may be repeated', async () => {
    const { world, post, submitted } = await serve()
    const id = await submitted(2)
    for (const _ of [1, 2]) {
      const { status, body } = await post(`/v1/jobs/${id}/cancel`)
      expect(status).toBe(200)
      expect(body).toMatchObject({ id, order: 'cancel' })
      expect(body.next).toContain('the provider ends it')
    }
    const { obligations } = await world.ledger.survey()
    expect(obligations.find(obligation => obligation.id === id)?.job?.order).toBe('cancel')
  })

  test.each([
    ['open', 'JOB_NOT_SENT'],
    ['sealed', 'JOB_NOT_SENT'],
    ['uploaded', 'JOB_NOT_SENT'],
    ['submitting', 'JOB_UNCERTAIN'],
    ['terminal', 'JOB_ENDED']
  ] as const)('is refused for a job that is %s', async (state, code) => {
    const { jobs, post, get } = await serve()
    const id = await jobs.begin(1, state)
    expect(await post(`/v1/jobs/${id}/cancel`)).toMatchObject({ status: 409, body: { code } })
    expect(await get(`/v1/jobs/${id}`)).toMatchObject({ order: null })
  })

  test('is refused for a job that is over, or being given up', async () => {
    const { jobs, post, submitted } = await serve()
    const over = await jobs.begin(1, 'terminal', { status: 'completed' })
    await jobs.archive(over)
    expect(await post(`/v1/jobs/${over}/cancel`)).toMatchObject({ status: 409, body: { code: 'JOB_ENDED' } })
    const id = await submitted(1)
    await post(`/v1/jobs/${id}/abandon`, { confirm: true })
    expect(await post(`/v1/jobs/${id}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'JOB_ABANDONED' }
    })
  })
})

describe('giving a job up', () => {
  test('says what may be paid for twice, and does nothing unless confirmed', async () => {
    const { post, get, submitted } = await serve()
    const id = await submitted(4)
    const dryRun = await post(`/v1/jobs/${id}/abandon`)
    expect(dryRun.body).toMatchObject({
      ordered: false,
      documents: 4,
      texts: 4,
      tokens: 40,
      job: { order: null }
    })
    expect(dryRun.body.usd).toBeCloseTo(40 * 0.5e-6, 12)
    expect(await get(`/v1/jobs/${id}`)).toMatchObject({ order: null })

    const done = await post(`/v1/jobs/${id}/abandon`, { confirm: true })
    expect(done.body).toMatchObject({ ordered: true, job: { order: 'abandon' } })
  })

  test.each(['open', 'sealed', 'uploaded', 'submitting', 'terminal'] as const)(
    'is refused for a job that is %s: an order would wait there for another try',
    async state => {
      const { jobs, post } = await serve()
      const id = await jobs.begin(1, state)
      expect((await post(`/v1/jobs/${id}/abandon`, { confirm: true })).status).toBe(409)
    }
  )
})

describe('jobs at a glance', () => {
  test('status and metrics count jobs, what waits for them, and the oldest', async () => {
    const { world, jobs, get, submitted } = await serve()
    expect((await get('/v1/status')).jobs).toEqual({ states: {}, documents: 0, oldestMs: null, stale: 0 })
    await submitted(3)
    await jobs.begin(2, 'sealed')
    world.clock.now += 27 * hourMs
    expect((await get('/v1/status')).jobs).toEqual({
      states: { submitted: 1, sealed: 1 },
      documents: 5,
      oldestMs: 27 * hourMs,
      stale: 1
    })
  })

  test('what jobs have paid counts at the price of the batch lane', async () => {
    const { jobs, get } = await serve()
    const over = await jobs.begin(2, 'terminal', {
      lines: 2,
      status: 'completed',
      creates: 1,
      paidTokens: 20
    })
    await jobs.archive(over, { paidTokens: 20 })
    const { spend } = await get('/v1/status')
    expect(spend).toMatchObject({ paidTokens: 20, paidInJobs: 20 })
    expect(spend.usd).toBeCloseTo(20 * 0.5e-6, 12)
  })
})
