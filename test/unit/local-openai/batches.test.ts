import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BatchQueue } from '@pointsman/local-openai/batches/batch-queue'
import { showBatch } from '@pointsman/local-openai/batches/batch-record'
import { parseBatchRequest } from '@pointsman/local-openai/batches/batch-request'
import { Bill } from '@pointsman/local-openai/bill'
import { unlimited } from '@pointsman/local-openai/limits'
import { openaiModels } from '@pointsman/local-openai/models'
import { openStore } from '@pointsman/local-openai/open-store'
import { TokenCounter } from '@pointsman/local-openai/token-counter'
import { expect, test } from 'vitest'
import {
  batchLine,
  batchLines,
  batchModel,
  createBatch,
  readLines,
  uploadLines,
  waitForBatch
} from '../../support/local-openai-batch.ts'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'

const endpoint = '/v1/embeddings'
const completionWindow = { completion_window: '24h' } as const

test('the official client uploads, creates, polls and downloads; a second job it cancels', async () => {
  await using server = await openLocalOpenai()
  const client = server.client()
  const created = await createBatch(client, batchLines(300), { metadata: { run: 'a' } })
  expect(created).toMatchObject({
    object: 'batch',
    status: 'validating',
    errors: null,
    metadata: { run: 'a' }
  })
  expect(created.id).toMatch(/^batch_[0-9a-f]{32}$/)
  expect(created.expires_at).toBe(created.created_at + 86_400)
  expect(Number.parseInt(created.id.slice(6, 14), 16)).toBe(created.created_at)

  const done = await waitForBatch(client, created.id, 'completed')
  expect(done).toMatchObject({
    model: batchModel,
    error_file_id: null,
    request_counts: { total: 300, completed: 300, failed: 0 },
    usage: { input_tokens: 1200, output_tokens: 0, total_tokens: 1200 }
  })
  const file = await client.files.retrieve(done.output_file_id!)
  expect(file).toMatchObject({
    purpose: 'batch_output',
    filename: `${done.id}_output.jsonl`,
    status: 'processed'
  })
  expect(file.expires_at! - file.created_at).toBe(30 * 86_400)
  const lines = await readLines(client, done.output_file_id)
  const ids = lines.map(line => line.custom_id)
  const planned = Array.from({ length: 300 }, (_, index) => `line-${index}`)
  expect(ids.toSorted()).toEqual(planned.toSorted())
  expect(ids).not.toEqual(planned)
  expect(new Set(lines.map(line => line.id)).size).toBe(300)
  expect(lines[0]).toEqual({
    id: expect.stringMatching(/^batch_req_[0-9a-f]{32}$/),
    custom_id: ids[0],
    response: {
      status_code: 200,
      request_id: expect.any(String),
      body: {
        object: 'list',
        data: [{ object: 'embedding', index: 0, embedding: expect.stringMatching(/^.{8192}$/) }],
        model: batchModel,
        usage: { prompt_tokens: 4, total_tokens: 4 }
      }
    },
    error: null
  })

  await server.put('/turnaround', { kind: 'fixed', seconds: 3600 })
  await server.put('/clock', { factor: 0 })
  const second = await createBatch(client, batchLines(10))
  expect(await client.batches.cancel(second.id)).toMatchObject({ status: 'cancelling' })
  await server.put('/clock', { advanceSeconds: 600 })
  expect(await client.batches.retrieve(second.id)).toMatchObject({ status: 'cancelled' })
})

test('a line gets the vector that a request of its own gets, in either encoding', async () => {
  await using server = await openLocalOpenai()
  const client = server.client()
  const bodies = [
    { model: batchModel, input: 'hello world', encoding_format: 'base64' },
    { model: batchModel, input: ['hello world', ' '], dimensions: 20 },
    { model: batchModel, input: [9906, 1917] }
  ]
  const { id } = await createBatch(client, bodies.map((body, index) => batchLine(index, { body })).join('\n'))
  const lines = await readLines(client, (await waitForBatch(client, id, 'completed')).output_file_id)
  for (const [index, body] of bodies.entries()) {
    const line = lines.find(one => one.custom_id === `line-${index}`)
    expect(line?.response?.body).toEqual(await (await server.post(body)).json())
  }
})

test('a line that the endpoint refuses is in the error file with its answer; the others are paid at half price', async () => {
  await using server = await openLocalOpenai()
  const client = server.client()
  const bad = { model: batchModel, input: ['fine', ''] }
  const large = { model: batchModel, input: 'fine', dimensions: 9999 }
  const { id } = await createBatch(
    client,
    [batchLine(0), batchLine(1, { body: bad }), batchLine(2, { body: large }), batchLine(3)].join('\n')
  )
  const done = await waitForBatch(client, id, 'completed')
  expect(done.request_counts).toEqual({ total: 4, completed: 2, failed: 2 })
  expect(await readLines(client, done.output_file_id)).toHaveLength(2)
  const errors = await readLines(client, done.error_file_id)
  expect(errors.toSorted((a, b) => a.custom_id.localeCompare(b.custom_id))).toMatchObject([
    {
      custom_id: 'line-1',
      error: null,
      response: {
        status_code: 400,
        body: { error: { message: "Invalid 'input[1]': input cannot be an empty string", param: 'input[1]' } }
      }
    },
    { custom_id: 'line-2', error: null, response: { status_code: 400 } }
  ])
  expect(await server.get('/bill')).toEqual({
    realtime: { requests: 0, inputs: 0, tokens: 0, usd: 0 },
    batch: { jobs: 1, inputs: 2, tokens: 8, usd: (8 * 10) / 1e9 },
    distinctInputs: 2,
    distinctTokens: 8
  })
})

test('when every line is refused the job is completed without an output file and costs nothing', async () => {
  await using server = await openLocalOpenai()
  const client = server.client()
  const { id } = await createBatch(client, batchLine(0, { body: { model: batchModel, input: '' } }))
  const done = await waitForBatch(client, id, 'completed')
  expect(done).toMatchObject({ output_file_id: null, request_counts: { total: 1, completed: 0, failed: 1 } })
  expect(await readLines(client, done.error_file_id)).toHaveLength(1)
  expect(await server.get('/bill')).toMatchObject({ batch: { jobs: 0, inputs: 0 }, distinctInputs: 0 })
})

test('input that cannot run fails the job with its lines; nothing is counted or billed', async () => {
  await using server = await openLocalOpenai()
  const client = server.client()
  const { id } = await createBatch(client, `${batchLine(0)}\n${batchLine(0)}\n{"custom_id":"x"}\n`)
  const batch = await waitForBatch(client, id, 'failed')
  expect(batch).toMatchObject({
    in_progress_at: null,
    completed_at: null,
    output_file_id: null,
    error_file_id: null,
    request_counts: { total: 0, completed: 0, failed: 0 },
    errors: {
      object: 'list',
      data: [
        { code: 'duplicate_custom_id', line: 2, param: 'custom_id' },
        { code: 'missing_required_parameter', line: 3, param: 'method' }
      ]
    }
  })
  expect(batch.failed_at).toBeGreaterThanOrEqual(batch.created_at)
  expect(await server.get('/bill')).toMatchObject({ batch: { jobs: 0, inputs: 0 } })
})

test('a file that is unknown, deleted or not for batches is told by the job and not by the create', async () => {
  await using server = await openLocalOpenai()
  const client = server.client()
  const deleted = await uploadLines(client, batchLines(1))
  await client.files.delete(deleted)
  const done = await createBatch(client, batchLines(1))
  const output = (await waitForBatch(client, done.id, 'completed')).output_file_id!
  for (const fileId of ['file-none', deleted, output]) {
    const created = await client.batches.create({ input_file_id: fileId, endpoint, ...completionWindow })
    expect(created.status).toBe('validating')
    const { errors } = await waitForBatch(client, created.id, 'failed')
    expect(errors?.data).toEqual([
      {
        code: 'invalid_request',
        message: `Cannot find file ${fileId}, or organization org-local does not have access to it.`,
        line: null,
        param: 'file_id'
      }
    ])
  }
})

test('faults that refuse come in between on the routes of files and batches, too', async () => {
  await using server = await openLocalOpenai({
    faults: {
      rules: [
        { kind: 'http_error', status: 502, route: 'files.content', nth: 1 },
        { kind: 'rate_limited', route: 'batches.create', nth: 1 }
      ]
    }
  })
  const client = server.client(2)
  const { id } = await createBatch(client, batchLines(1))
  const { output_file_id: output } = await waitForBatch(client, id, 'completed')
  expect(await readLines(client, output)).toHaveLength(1)
  expect(await server.get('/faults')).toMatchObject({ rules: [{ played: 1 }, { played: 1 }] })
  expect((await client.batches.list()).data).toHaveLength(1)
})

test('a job whose lines cannot be computed fails and says why, and the server goes on', async () => {
  const store = openStore(mkdtempSync(join(tmpdir(), 'local-openai-')), 1)
  const vectors = {
    models: openaiModels,
    embed: () => Promise.reject(new Error('the model is gone')),
    [Symbol.asyncDispose]: () => Promise.resolve()
  }
  const deps = {
    ...store,
    vectors,
    bill: new Bill(),
    counter: new TokenCounter(),
    limits: () => unlimited,
    seed: 1
  }
  await using queue = new BatchQueue(deps, { kind: 'none' })
  const id = 'file-1'
  const createdMs = store.virtualClock.nowMs()
  writeFileSync(store.files.pathOf(id), batchLines(3))
  store.files.add({
    id,
    bytes: 1,
    createdMs,
    skewMs: 0,
    filename: 'a.jsonl',
    purpose: 'batch',
    expiresMs: null
  })
  const request = parseBatchRequest({ input_file_id: id, endpoint, ...completionWindow })
  const batch = queue.create(request)
  await expect
    .poll(() => showBatch(queue.get(batch.id)))
    .toMatchObject({
      status: 'failed',
      output_file_id: null,
      errors: { data: [{ code: 'server_error', message: 'local-openai failed: the model is gone' }] }
    })
})
