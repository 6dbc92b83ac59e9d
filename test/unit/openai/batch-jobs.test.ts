// Calls about jobs, against a scripted provider: what is asked, and what odd answers come to.
import { expect, test } from 'vitest'
import { BatchSpool, batch, key, metadata } from '../../support/openai-jobs.ts'
import { contentOf, customId } from '../../support/result-lines.ts'
import { apiError, json, openScriptedProvider, type Reply } from '../../support/scripted-provider.ts'
import { bytes, routes } from '../../support/scripted-routes.ts'

const { signal } = new AbortController()
const spool = await BatchSpool.open()

test('creates a job that carries its names', async () => {
  await using provider = await openScriptedProvider(routes({ 'POST /v1/batches': json(200, batch) }))
  const report = await (await spool.providerAt(provider.url)).create(key, 'file-1', signal)

  expect(report).toMatchObject({ batchId: 'batch_1', status: 'validating', inputFileId: 'file-1' })
  expect(JSON.parse(provider.requests[0]?.body ?? '')).toEqual({
    input_file_id: 'file-1',
    endpoint: '/v1/embeddings',
    completion_window: '24h',
    metadata,
    output_expires_after: { anchor: 'created_at', seconds: 604_800 }
  })
})

test.each([
  [
    apiError(400, { message: 'Enqueued token limit reached for x.', code: 'token_limit_exceeded' }),
    'EMBED_RATE_LIMITED'
  ],
  [apiError(400, { message: "Invalid type for 'input_file_id'", param: 'input_file_id' }), 'EMBED_REFUSED'],
  [apiError(429, { message: 'too many batches' }), 'EMBED_RATE_LIMITED'],
  [apiError(429, { message: 'no money', code: 'insufficient_quota' }), 'EMBED_OUT_OF_FUNDS'],
  [apiError(401, { message: 'bad key' }), 'EMBED_REFUSED'],
  [apiError(404, { message: 'No such File object: file-1' }), 'JOB_GONE'],
  [apiError(409, { message: 'conflict' }), 'EMBED_OUTCOME_UNKNOWN'],
  [apiError(500, { message: 'oops' }), 'EMBED_OUTCOME_UNKNOWN'],
  [json(200, { object: 'batch' }), 'EMBED_OUTCOME_UNKNOWN'],
  [json(200, 'text'), 'EMBED_OUTCOME_UNKNOWN'],
  [bytes('<html>'), 'EMBED_OUTCOME_UNKNOWN'],
  [(response => response.destroy()) as Reply, 'EMBED_OUTCOME_UNKNOWN'],
  [(() => undefined) as Reply, 'EMBED_OUTCOME_UNKNOWN']
])('a create call is tried once, whatever comes of it: %#', async (reply, code) => {
  await using provider = await openScriptedProvider(routes({ 'POST /v1/batches': reply }))
  const adapter = await spool.providerAt(provider.url, { deadlineMs: 300 })

  await expect(adapter.create(key, 'file-1', signal)).rejects.toMatchObject({ code })
  expect(provider.requests).toHaveLength(1)
})

test('a provider that cannot be reached made no job', async () => {
  const closed = await openScriptedProvider(json(500, {}))
  await closed[Symbol.asyncDispose]()
  const adapter = await spool.providerAt(closed.url)
  await expect(adapter.create(key, 'file-1', signal)).rejects.toMatchObject({ code: 'EMBED_UNAVAILABLE' })
})

test('finds a job by turning the pages of the list', async () => {
  const other = { ...batch, metadata: null }
  const page = (data: readonly object[], more: boolean): Reply =>
    json(200, { object: 'list', data, has_more: more })
  await using provider = await openScriptedProvider(
    routes({
      'GET /v1/batches': [
        page(
          [
            { ...other, id: 'batch_9' },
            { ...other, id: 'batch_8' }
          ],
          true
        ),
        page([{ ...other, id: 'batch_7' }, batch], true)
      ]
    })
  )
  expect((await (await spool.providerAt(provider.url)).find(key, signal))?.batchId).toBe('batch_1')
  expect(provider.requests.map(({ path: asked }) => asked)).toEqual([
    '/v1/batches?limit=100',
    '/v1/batches?limit=100&after=batch_8'
  ])
})

test.each([
  ['ends', { data: [{ id: 'batch_9' }], has_more: false }],
  ['is empty', { data: [] }],
  ['is none', { object: 'list', data: null }],
  ['goes round', { data: [{ id: 'batch_9' }], has_more: true }]
])('finds nothing in a list that %s', async (_, list) => {
  await using provider = await openScriptedProvider(routes({ 'GET /v1/batches': json(200, list) }))
  expect(await (await spool.providerAt(provider.url)).find(key, signal)).toBeUndefined()
  expect(provider.requests.length).toBeLessThanOrEqual(2)
})

test('looks at no job that is much older than the newest', async () => {
  const at = (id: string, days: number, time: (seconds: number) => unknown): object => {
    return { id, created_at: time(1_800_000_000 - days * 86_400), metadata: null }
  }
  for (const time of [(s: number) => s, String, (s: number) => new Date(s * 1_000).toISOString()]) {
    const data = [
      at('batch_9', 0, time),
      at('batch_8', 8.1, time),
      { ...batch, created_at: time(1_799_000_000) }
    ]
    await using provider = await openScriptedProvider(
      routes({ 'GET /v1/batches': json(200, { data, has_more: true }) })
    )
    expect(await (await spool.providerAt(provider.url)).find(key, signal)).toBeUndefined()
    expect(
      await (await spool.providerAt(provider.url, { findMs: 9 * 86_400_000 })).find(key, signal)
    ).toBeDefined()
  }
})

test('names the texts of the lines that failed validation, reading no further than needed', async () => {
  const input = Array.from({ length: 5 }, (_, index) => `{"custom_id":"${customId(index)}","x":"ä"}\n`).join(
    ''
  )
  const data = [
    { code: 'invalid_json_line', line: 2, message: 'odd', param: null },
    { code: 'invalid_request', line: 5, message: 'odd too', param: null },
    { code: 'invalid_request', line: 99, message: 'beyond', param: null },
    { code: 'invalid_request', line: null, message: 'all of it', param: null }
  ]
  await using provider = await openScriptedProvider(
    routes({
      'GET /v1/batches/batch_1': json(200, { ...batch, status: 'failed', errors: { data } }),
      'GET /v1/files/file-1/content': bytes(input)
    })
  )
  const { errors } = await (await spool.providerAt(provider.url)).report('batch_1', signal)
  expect(errors.map(({ content }) => content)).toEqual([contentOf(1), contentOf(4), undefined, undefined])
})

test('stops reading an endless input at the last line that is named', async () => {
  const endless: Reply = response => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    response.write(`{"custom_id":"${customId(0)}"}\n{"custom_id":"${customId(1)}"}\n{"custom`)
  }
  const errors = { data: [{ code: 'x', line: 2, message: 'odd' }] }
  await using provider = await openScriptedProvider(
    routes({
      'GET /v1/batches/batch_1': json(200, { ...batch, status: 'failed', errors }),
      'GET /v1/files/file-1/content': endless
    })
  )
  expect((await (await spool.providerAt(provider.url)).report('batch_1', signal)).errors[0]?.content).toBe(
    contentOf(1)
  )
})

test.each([
  [apiError(404, { message: 'No such File object' }), undefined],
  [apiError(400, { message: 'Not allowed to download files of purpose: batch' }), undefined],
  [apiError(502, { message: 'bad gateway' }), 'EMBED_OUTCOME_UNKNOWN']
])('an input that is gone names no text, one that is away is asked for again: %#', async (reply, code) => {
  const errors = { data: [{ code: 'x', line: 1, message: 'odd' }] }
  await using provider = await openScriptedProvider(
    routes({
      'GET /v1/batches/batch_1': json(200, { ...batch, status: 'failed', errors }),
      'POST /v1/batches': json(200, { ...batch, status: 'failed', errors }),
      'GET /v1/files/file-1/content': reply
    })
  )
  const adapter = await spool.providerAt(provider.url)
  const report = adapter.report('batch_1', signal)
  if (code === undefined) expect((await report).errors).toMatchObject([{ code: 'x', content: undefined }])
  else {
    await expect(report).rejects.toMatchObject({ code })
    await expect(adapter.create(key, 'file-1', signal)).rejects.toMatchObject({
      code: 'EMBED_OUTCOME_UNKNOWN'
    })
  }
})

test.each([
  [json(200, batch), undefined],
  [apiError(409, { message: "Cannot cancel a batch with status 'completed'." }), undefined],
  [apiError(404, { message: 'no batch' }), 'JOB_GONE'],
  [apiError(500, { message: 'oops' }), 'EMBED_OUTCOME_UNKNOWN']
])('a job is cancelled once, and harmlessly when it has ended: %#', async (reply, code) => {
  await using provider = await openScriptedProvider(routes({ 'POST /v1/batches/batch_1/cancel': reply }))
  const cancelled = (await spool.providerAt(provider.url)).cancel('batch_1', signal)
  if (code === undefined) await expect(cancelled).resolves.toBeUndefined()
  else await expect(cancelled).rejects.toMatchObject({ code })
  expect(provider.requests).toHaveLength(1)
})

test('a provider that knows no batches is refused by the check', async () => {
  await using provider = await openScriptedProvider(routes({}))
  await expect((await spool.providerAt(provider.url)).check(signal)).rejects.toMatchObject({
    code: 'EMBED_REFUSED'
  })
})
