import { expect, test } from 'vitest'
import {
  batchLines,
  createBatch,
  readLines,
  shortAnswerLines,
  uploadLines,
  waitForBatch
} from '../../support/local-openai-batch.ts'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'

const endpoint = '/v1/embeddings'
const completionWindow = { completion_window: '24h' } as const

test('a job goes through its states with the clock, and each moment is set when it comes', async () => {
  await using server = await openLocalOpenai({ clockFactor: 0, turnaround: { kind: 'fixed', seconds: 7200 } })
  const client = server.client()
  const { created_at: start, id } = await createBatch(client, batchLines(200))
  await server.put('/clock', { advanceSeconds: 60 })
  const begun = await client.batches.retrieve(id)
  expect(begun).toMatchObject({ status: 'in_progress', request_counts: { total: 200, failed: 0 } })
  expect(begun.in_progress_at! - start).toBeLessThanOrEqual(60)

  const counts: number[] = []
  for (let step = 0; step < 5; step++) {
    await server.put('/clock', { advanceSeconds: 1200 })
    const batch = await client.batches.retrieve(id)
    counts.push(batch.request_counts!.completed)
    expect(batch).toMatchObject({ status: 'in_progress', output_file_id: null })
  }
  for (const [step, count] of counts.entries()) {
    expect(Math.abs(count - (200 * (1260 + step * 1200)) / 7200)).toBeLessThan(8)
  }
  expect((await client.files.list({ purpose: 'batch_output' })).data).toEqual([])

  await server.put('/clock', { advanceSeconds: 40_000 })
  const done = await client.batches.retrieve(id)
  expect(done).toMatchObject({ status: 'completed', request_counts: { total: 200, completed: 200 } })
  expect(done.in_progress_at).toBe(begun.in_progress_at)
  expect(done.finalizing_at!).toBeGreaterThan(done.in_progress_at!)
  expect(done.completed_at!).toBeGreaterThanOrEqual(done.finalizing_at!)
  expect(Math.abs(done.completed_at! - start - 7200)).toBeLessThanOrEqual(1)
})

test('a job that takes longer than its window expires: what ran is there and paid, the rest is named', async () => {
  await using server = await openLocalOpenai({
    clockFactor: 0,
    turnaround: { kind: 'fixed', seconds: 172_800 }
  })
  const client = server.client()
  const { created_at: start, id } = await createBatch(client, batchLines(100))
  await server.put('/clock', { advanceSeconds: 90_000 })
  const batch = await client.batches.retrieve(id)
  expect(batch).toMatchObject({ status: 'expired', completed_at: null, finalizing_at: null, errors: null })
  expect(batch.expired_at! - start).toBe(86_400)
  const lines = await readLines(client, batch.output_file_id)
  const rest = await readLines(client, batch.error_file_id)
  expect(Math.abs(lines.length - 50)).toBeLessThan(3)
  expect(batch.request_counts).toEqual({ total: 100, completed: lines.length, failed: 0 })
  expect(new Set([...lines, ...rest].map(line => line.custom_id)).size).toBe(100)
  expect(rest[0]).toMatchObject({
    response: null,
    error: {
      code: 'batch_expired',
      message: 'This request could not be executed before the completion window expired.'
    }
  })
  expect(await server.get('/bill')).toMatchObject({ batch: { jobs: 1, inputs: lines.length } })
  await expect(client.batches.cancel(id)).rejects.toMatchObject({ status: 409 })
})

test('a cancel half-way takes up to ten minutes and keeps what ran', async () => {
  await using server = await openLocalOpenai({ clockFactor: 0, turnaround: { kind: 'fixed', seconds: 7200 } })
  const client = server.client()
  const { id } = await createBatch(client, batchLines(100))
  await server.put('/clock', { advanceSeconds: 3600 })
  const { now } = Object(await server.get('/clock'))
  const cancelling = await client.batches.cancel(id)
  expect(cancelling).toMatchObject({
    status: 'cancelling',
    cancelling_at: Math.floor(now),
    output_file_id: null
  })
  expect(await client.batches.cancel(id)).toMatchObject({ status: 'cancelling' })
  await server.put('/clock', { advanceSeconds: 600 })
  const batch = await client.batches.retrieve(id)
  expect(batch).toMatchObject({ status: 'cancelled', cancelling_at: cancelling.cancelling_at })
  expect(batch.request_counts).toEqual(cancelling.request_counts)
  const lines = await readLines(client, batch.output_file_id)
  const rest = await readLines(client, batch.error_file_id)
  expect(Math.abs(lines.length - 50)).toBeLessThan(3)
  expect(rest).toHaveLength(100 - lines.length)
  expect(rest[0]).toMatchObject({ response: null, error: { code: 'batch_cancelled' } })
  expect(await client.batches.cancel(id)).toMatchObject({ status: 'cancelled' })
})

test('a job that is cancelled before it runs has no files and costs nothing', async () => {
  await using server = await openLocalOpenai({ clockFactor: 0, turnaround: { kind: 'fixed', seconds: 7200 } })
  const client = server.client()
  const { id } = await createBatch(client, batchLines(10))
  await client.batches.cancel(id)
  await server.put('/clock', { advanceSeconds: 600 })
  expect(await client.batches.retrieve(id)).toMatchObject({
    status: 'cancelled',
    in_progress_at: null,
    output_file_id: null,
    error_file_id: null,
    request_counts: { total: 0, completed: 0, failed: 0 }
  })
  expect(await server.get('/bill')).toMatchObject({ batch: { jobs: 0 } })
})

test('what has ended cannot be cancelled, what never was is not found', async () => {
  await using server = await openLocalOpenai()
  const client = server.client()
  const completed = await createBatch(client, batchLines(1))
  await waitForBatch(client, completed.id, 'completed')
  await expect(client.batches.cancel(completed.id)).rejects.toMatchObject({
    status: 409,
    error: { message: "Cannot cancel a batch with status 'completed'.", type: 'invalid_request_error' }
  })
  const failed = await createBatch(client, '{}')
  await waitForBatch(client, failed.id, 'failed')
  await expect(client.batches.cancel(failed.id)).rejects.toMatchObject({ status: 409 })
  await expect(client.batches.cancel('batch_none')).rejects.toMatchObject({ status: 404 })
  await expect(client.batches.retrieve('batch_none')).rejects.toMatchObject({ status: 404 })
})

test('the input may be deleted once it has been read', async () => {
  await using server = await openLocalOpenai({ clockFactor: 0, turnaround: { kind: 'fixed', seconds: 7200 } })
  const client = server.client()
  const { id, input_file_id: input } = await createBatch(client, batchLines(50))
  await server.put('/clock', { advanceSeconds: 1 })
  await client.files.delete(input)
  await server.put('/clock', { advanceSeconds: 7200 })
  expect(await client.batches.retrieve(id)).toMatchObject({
    status: 'completed',
    request_counts: { completed: 50 }
  })
})

test('outputs expire when they were asked to', async () => {
  await using server = await openLocalOpenai({ clockFactor: 0 })
  const client = server.client()
  const created = await client.batches.create({
    input_file_id: await uploadLines(client, batchLines(1)),
    endpoint,
    ...completionWindow,
    output_expires_after: { anchor: 'created_at', seconds: 3600 }
  })
  const { output_file_id: output } = await waitForBatch(client, created.id, 'completed')
  await server.put('/clock', { advanceSeconds: 3599 })
  expect((await client.files.retrieve(output!)).expires_at! - created.created_at).toBe(3600)
  await server.put('/clock', { advanceSeconds: 1 })
  await expect(client.files.content(output!)).rejects.toMatchObject({ status: 404, param: 'id' })
})

test('a cancel while the job finalizes keeps all that ran', async () => {
  await using server = await openLocalOpenai({ clockFactor: 0, turnaround: { kind: 'fixed', seconds: 7200 } })
  const client = server.client()
  const { id } = await createBatch(client, batchLines(20))
  await server.put('/clock', { advanceSeconds: 7199 })
  expect(await client.batches.retrieve(id)).toMatchObject({ status: 'finalizing' })
  await client.batches.cancel(id)
  await server.put('/clock', { advanceSeconds: 600 })
  const batch = await client.batches.retrieve(id)
  expect(batch).toMatchObject({ status: 'cancelled', completed_at: null, error_file_id: null })
  expect(await readLines(client, batch.output_file_id)).toHaveLength(20)
})

test('a cancel at full speed meets a job in the midst of its lines', async () => {
  await using server = await openLocalOpenai()
  const client = server.client()
  const { id } = await createBatch(client, shortAnswerLines(10_000))
  await expect
    .poll(async () => (await client.batches.retrieve(id)).request_counts!.completed, { interval: 1 })
    .toBeGreaterThan(0)
  await client.batches.cancel(id)
  const batch = await waitForBatch(client, id, 'cancelled')
  const { completed } = batch.request_counts!
  expect(completed).toBeLessThan(10_000)
  const lines = [
    ...(await readLines(client, batch.output_file_id)),
    ...(await readLines(client, batch.error_file_id))
  ]
  expect(lines.filter(line => line.response)).toHaveLength(completed)
  expect(new Set(lines.map(line => line.custom_id)).size).toBe(10_000)
  expect(await server.get('/bill')).toMatchObject({ batch: { inputs: completed } })
})

test('a fast clock runs a night in a moment', async () => {
  await using server = await openLocalOpenai({
    clockFactor: 100_000,
    turnaround: { kind: 'fixed', seconds: 28_800 }
  })
  const client = server.client()
  const { created_at: start, id } = await createBatch(client, batchLines(100))
  const done = await waitForBatch(client, id, 'completed')
  expect(done.completed_at! - start).toBeGreaterThanOrEqual(28_799)
})
