import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { endOfJob, idsOf, parseLines, runJobUnderFaults } from '../../support/job-under-faults.ts'
import type { FaultRuleInput } from '../../support/job-under-faults.ts'
import { batchLines, createBatch, waitForBatch } from '../../support/local-openai-batch.ts'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'
import type { LocalOpenaiUnderTest } from '../../support/local-openai-under-test.ts'

/** A server whose clock stands still until it is moved. */
function openServer(...rules: FaultRuleInput[]): Promise<LocalOpenaiUnderTest> {
  return openLocalOpenai({ clockFactor: 0, faults: { rules } })
}

/** Whatever runs without the clock has run. */
async function settle(server: LocalOpenaiUnderTest): Promise<void> {
  await setImmediate()
  await server.put('/clock', { advanceSeconds: 0 })
}

test('a job expires with a share of its lines done, which are paid, and tells of the others', async () => {
  const { errors, job, output, paidInputs } = await runJobUnderFaults([{ kind: 'job_expires', done: 0.7 }], {
    ends: 'expired'
  })
  expect(idsOf(output)).toHaveLength(14)
  expect(parseLines(errors).map(line => line.error?.code)).toEqual(Array(6).fill('batch_expired'))
  expect(job.request_counts).toEqual({ total: 20, completed: 14, failed: 0 })
  expect(job.expired_at).toBeLessThan(job.expires_at!)
  expect(paidInputs).toBe(14)
})

test('a job expires with nothing done, with all done, or without a word about the rest', async () => {
  const nothing = await runJobUnderFaults([{ kind: 'job_expires', done: 0 }], { ends: 'expired' })
  expect(nothing.job.output_file_id).toBeNull()
  expect(idsOf(nothing.errors)).toHaveLength(20)
  expect(nothing.paidInputs).toBe(0)
  const all = await runJobUnderFaults([{ kind: 'job_expires', done: 1 }], { ends: 'expired' })
  expect(idsOf(all.output)).toHaveLength(20)
  const silent = await runJobUnderFaults([{ kind: 'job_expires', listsRest: false }], { ends: 'expired' })
  expect(idsOf(silent.output)).toHaveLength(10)
  expect(silent.job.error_file_id).toBeNull()
})

test('which lines were done before a job expired is the same with the same seed', async () => {
  const rules: FaultRuleInput[] = [{ kind: 'job_expires', done: 0.3 }]
  const run = async (seed: number): Promise<string[]> =>
    idsOf((await runJobUnderFaults(rules, { ends: 'expired', lines: 100, seed })).output)
  expect(await run(1)).toEqual(await run(1))
})

test('a job expires no sooner than told', async () => {
  await using server = await openServer({ kind: 'job_expires', afterSeconds: 3600 })
  const { id } = await createBatch(server.client(), batchLines(4))
  await server.put('/clock', { advanceSeconds: 3599 })
  expect(await server.client().batches.retrieve(id)).toMatchObject({
    status: 'in_progress',
    request_counts: { completed: 2 }
  })
  await server.put('/clock', { advanceSeconds: 1 })
  expect(await server.client().batches.retrieve(id)).toMatchObject({ status: 'expired' })
})

test('a job is cancelled by somebody else half-way', async () => {
  const { errors, job, output, paidInputs } = await runJobUnderFaults([{ kind: 'job_cancelled' }], {
    ends: 'cancelled'
  })
  expect(idsOf(output)).toHaveLength(10)
  expect(parseLines(errors).map(line => line.error?.code)).toEqual(Array(10).fill('batch_cancelled'))
  expect(job.cancelling_at).toBeGreaterThan(0)
  expect(paidInputs).toBe(10)
})

test('a job fails for the tokens in the queue; the first two do, and then the same file goes through', async () => {
  await using server = await openServer({ kind: 'job_fails', nth: { to: 2 } })
  const client = server.client()
  const first = await createBatch(client, batchLines(2))
  const failed = await waitForBatch(client, first.id, 'failed')
  expect(failed.errors?.data).toMatchObject([{ code: 'token_limit_exceeded', line: null }])
  const again = {
    input_file_id: first.input_file_id,
    endpoint: '/v1/embeddings',
    completion_window: '24h'
  } as const
  await waitForBatch(client, (await client.batches.create(again)).id, 'failed')
  expect(await server.get('/bill')).toMatchObject({ batch: { inputs: 0 } })
  await waitForBatch(client, (await client.batches.create(again)).id, 'completed')
  expect(await server.get('/bill')).toMatchObject({ batch: { jobs: 1, inputs: 2 } })
})

test('a job fails because its file is not found, or for any other reason', async () => {
  const { job } = await runJobUnderFaults([{ kind: 'job_fails', code: 'not_found' }], { ends: 'failed' })
  expect(job.errors?.data).toMatchObject([{ code: 'invalid_request', line: null, param: 'file_id' }])
  const other = await runJobUnderFaults([{ kind: 'job_fails', code: 'odd', message: 'why', param: 'p' }], {
    ends: 'failed'
  })
  expect(other.job.errors?.data).toEqual([{ code: 'odd', line: null, message: 'why', param: 'p' }])
})

test.each(['validating', 'in_progress'] as const)('a job is stuck %s until its window is over', async at => {
  await using server = await openServer({ kind: 'job_stuck', at })
  const client = server.client()
  const { id } = await createBatch(client, batchLines(4))
  await server.put('/clock', { advanceSeconds: 86_399 })
  expect(await client.batches.retrieve(id)).toMatchObject({
    status: at,
    request_counts: { total: at === 'validating' ? 0 : 4, completed: 0, failed: 0 }
  })
  await server.put('/clock', { advanceSeconds: 1 })
  expect(await client.batches.retrieve(id)).toMatchObject({ status: 'expired', output_file_id: null })
  expect(await server.get('/bill')).toMatchObject({ batch: { inputs: 0 } })
})

test('a job is stuck finalizing for ever, and is cancelled with all its lines', async () => {
  await using server = await openServer({ kind: 'job_stuck', at: 'finalizing' })
  const client = server.client()
  const { id } = await createBatch(client, batchLines(4))
  await server.put('/clock', { advanceSeconds: 200_000 })
  expect(await client.batches.retrieve(id)).toMatchObject({ status: 'finalizing', output_file_id: null })
  await client.batches.cancel(id)
  const { output, paidInputs } = await endOfJob(server, id, 'cancelled')
  expect(idsOf(output)).toHaveLength(4)
  expect(paidInputs).toBe(4)
})

test('a job is stuck half-way for a while and then goes on; one that is cancelled there keeps half', async () => {
  await using server = await openServer(
    { kind: 'job_stuck', done: 0.5, seconds: 600, nth: 1 },
    { kind: 'job_stuck', done: 0.5, nth: 2 }
  )
  const client = server.client()
  const first = await createBatch(client, batchLines(4))
  const second = await createBatch(client, batchLines(4))
  await server.put('/clock', { advanceSeconds: 599 })
  for (const { id } of [first, second]) {
    expect(await client.batches.retrieve(id)).toMatchObject({ request_counts: { completed: 2 } })
  }
  await server.put('/clock', { advanceSeconds: 1 })
  expect(await client.batches.retrieve(first.id)).toMatchObject({ status: 'completed' })
  await client.batches.cancel(second.id)
  const { errors, output, paidInputs } = await endOfJob(server, second.id, 'cancelled')
  expect([idsOf(output).length, idsOf(errors).length]).toEqual([2, 2])
  expect(paidInputs).toBe(6)
})

test('a job does not expire when its window is over, but later or never', async () => {
  await using server = await openServer(
    { kind: 'job_stuck' },
    { kind: 'job_overdue', seconds: 3600, nth: 1 },
    { kind: 'job_overdue', nth: 2 }
  )
  const client = server.client()
  const late = await createBatch(client, batchLines(1))
  const never = await createBatch(client, batchLines(1))
  await server.put('/clock', { advanceSeconds: 86_400 + 3599 })
  expect(await client.batches.retrieve(late.id)).toMatchObject({ status: 'in_progress' })
  await server.put('/clock', { advanceSeconds: 1 })
  expect(await client.batches.retrieve(late.id)).toMatchObject({ status: 'expired' })
  await server.put('/clock', { advanceSeconds: 10 * 86_400 })
  expect(await client.batches.retrieve(never.id)).toMatchObject({ status: 'in_progress' })
})

test('a cancel takes as long as told, and lets a share of the lines run', async () => {
  await using server = await openServer(
    { kind: 'job_stuck' },
    { kind: 'job_cancel', seconds: 900, done: 0.5, listsRest: false }
  )
  const client = server.client()
  const { id } = await createBatch(client, batchLines(4))
  await settle(server)
  await client.batches.cancel(id)
  await server.put('/clock', { advanceSeconds: 899 })
  expect(await client.batches.retrieve(id)).toMatchObject({ status: 'cancelling', output_file_id: null })
  await server.put('/clock', { advanceSeconds: 1 })
  const { job, output, paidInputs } = await endOfJob(server, id, 'cancelled')
  expect(idsOf(output)).toHaveLength(2)
  expect(job.error_file_id).toBeNull()
  expect(paidInputs).toBe(2)
})

test.each(['validating', 'in_progress', 'finalizing'] as const)(
  'a cancel while %s comes too late: the job completes all the same',
  async at => {
    await using server = await openServer(
      { kind: 'job_stuck', at },
      { kind: 'job_cancel', outcome: 'completed' }
    )
    const client = server.client()
    const { id } = await createBatch(client, batchLines(4))
    await settle(server)
    expect(await client.batches.cancel(id)).toMatchObject({ status: 'cancelling' })
    const { job, output, paidInputs } = await endOfJob(server, id, 'completed')
    expect(idsOf(output)).toHaveLength(4)
    expect(job.request_counts).toEqual({ total: 4, completed: 4, failed: 0 })
    expect(job.completed_at).toBeGreaterThanOrEqual(job.cancelling_at!)
    expect(paidInputs).toBe(4)
    await expect(client.batches.cancel(id)).rejects.toMatchObject({ status: 409 })
  }
)

test('a job lags behind in the list, or vanishes from it, or altogether', async () => {
  await using server = await openServer(
    { kind: 'job_hidden', seconds: 30, nth: 1 },
    { kind: 'job_hidden', fromSeconds: 60, seconds: 60, where: 'everywhere', nth: 2 }
  )
  const client = server.client()
  const late = await createBatch(client, batchLines(1))
  const lost = await createBatch(client, batchLines(1))
  const listed = async (): Promise<string[]> => (await client.batches.list()).data.map(({ id }) => id)
  expect(await listed()).toEqual([lost.id])
  expect((await client.batches.retrieve(late.id)).id).toBe(late.id)
  await server.put('/clock', { advanceSeconds: 30 })
  expect(await listed()).toEqual([lost.id, late.id])
  await server.put('/clock', { advanceSeconds: 30 })
  expect(await listed()).toEqual([late.id])
  await expect(client.batches.retrieve(lost.id)).rejects.toMatchObject({ status: 404 })
  await expect(client.batches.cancel(lost.id)).rejects.toMatchObject({ status: 404 })
  await server.put('/clock', { advanceSeconds: 60 })
  expect(await listed()).toEqual([lost.id, late.id])
})

test('the lines of the output stand as in the input, the other way round, or with neighbours swapped', async () => {
  const order = async (given: 'input' | 'reversed' | 'swapped'): Promise<string[]> =>
    idsOf((await runJobUnderFaults([{ kind: 'output_order', order: given }], { lines: 5 })).output)
  expect(await order('input')).toEqual(['line-0', 'line-1', 'line-2', 'line-3', 'line-4'])
  expect(await order('reversed')).toEqual(['line-4', 'line-3', 'line-2', 'line-1', 'line-0'])
  expect(await order('swapped')).toEqual(['line-1', 'line-0', 'line-3', 'line-2', 'line-4'])
})

test('the output begins with a byte order mark and ends without a line feed', async () => {
  const { errors, job, output } = await runJobUnderFaults(
    [{ kind: 'output_bom' }, { kind: 'output_unterminated' }, { kind: 'line_error', share: 0.5 }],
    { lines: 200 }
  )
  expect(output.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]))
  const text = output.toString()
  expect(text).toMatch(/\}$/)
  expect(errors.toString()).toMatch(/\}$/)
  // Nowhere but at the beginning.
  expect(text.lastIndexOf('\u{FEFF}')).toBe(0)
  const { completed, failed } = job.request_counts!
  expect([text.split('\n').length, idsOf(errors).length]).toEqual([completed, failed])
})

test('several faults meet one job, each counted by the jobs that are created', async () => {
  await using server = await openServer(
    { kind: 'job_expires', done: 0.5, nth: 2 },
    { kind: 'output_bom', nth: { from: 2 } },
    { kind: 'http_error', status: 500, route: 'batches.create', nth: 2 }
  )
  const client = server.client()
  const { id, input_file_id: input } = await createBatch(client, batchLines(4))
  await waitForBatch(client, id, 'completed')
  const again = { input_file_id: input, endpoint: '/v1/embeddings', completion_window: '24h' } as const
  await expect(client.batches.create(again)).rejects.toMatchObject({ status: 500 })
  const { output } = await endOfJob(server, (await client.batches.create(again)).id, 'expired')
  expect(output.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]))
  expect(await server.get('/jobs')).toMatchObject({
    jobs: [
      { status: 'completed', faults: [] },
      { status: 'expired', lines: { total: 4 }, faults: [{ kind: 'job_expires' }, { kind: 'output_bom' }] }
    ]
  })
})
