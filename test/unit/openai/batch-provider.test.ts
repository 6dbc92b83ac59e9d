// The calls of the adapter, one by one, against a scripted provider: what is asked, and what odd answers come to.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openBatchProvider, type OpenaiBatchOptions } from '@pointsman/core/adapters/openai/batch-provider'
import type { Digest, ObligationId } from '@pointsman/core/domain/identity'
import type { BatchLine, BatchProvider } from '@pointsman/core/ports/batch-provider'
import { afterAll, expect, test } from 'vitest'
import { answered, base64, contentOf, customId } from '../../support/result-lines.ts'
import { apiError, json, openScriptedProvider, type Reply } from '../../support/scripted-provider.ts'
import { broken, bytes, routes, unmeasured } from '../../support/scripted-routes.ts'

const { signal } = new AbortController()
const directory = await mkdtemp(path.join(tmpdir(), 'pointsman-provider-'))
afterAll(async () => {
  expect(await readdir(directory)).toEqual([])
  await rm(directory, { recursive: true, force: true })
})

async function providerAt(
  url: string,
  options: Partial<OpenaiBatchOptions> = {},
  model = 'text-embedding-3-small'
): Promise<BatchProvider> {
  const settings = {
    OPENAI_API_KEY: 'key',
    OPENAI_BASE_URL: url,
    EMBEDDING_MODEL: model,
    EMBEDDING_DIMENSIONS: 4
  }
  return await openBatchProvider(settings, { directory, deadlineMs: 5_000, ...options })
}

const ledger = '0c5f2b1e-9f63-4f0a-8a52-3d2c5a6f7b80'
const key = { namespace: 'ns', ledger, manifest: '7.1.12' as ObligationId, create: 3 }
const metadata = {
  pointsman_namespace: 'ns',
  pointsman_ledger: ledger,
  pointsman_manifest: '7.1.12',
  pointsman_create: '3'
}

async function* linesOf(...texts: readonly string[]): AsyncGenerator<BatchLine> {
  await Promise.resolve()
  for (const [index, text] of texts.entries()) {
    yield { content: contentOf(index), partition: 0, offset: BigInt(index), text }
  }
}

const file = { id: 'file-1', object: 'file', bytes: 10, status: 'processed', purpose: 'batch' }
const batch = { id: 'batch_1', object: 'batch', status: 'validating', input_file_id: 'file-1', metadata }

test('uploads one file of known length, and looks until it can be seen', async () => {
  const missing = apiError(404, { message: 'No such File object: file-1', param: 'id' })
  const sent: Record<string, string | undefined> = {}
  const created: Reply = (response, request) => {
    Object.assign(sent, {
      length: request.headers['content-length'],
      coding: request.headers['transfer-encoding']
    })
    json(200, file)(response, request)
  }
  await using provider = await openScriptedProvider(
    routes({
      'POST /v1/files': created,
      'GET /v1/files/file-1': [
        missing,
        apiError(502, { message: 'bad gateway' }),
        json(200, { ...file, status: 'uploaded' }),
        json(200, file)
      ]
    })
  )
  const adapter = await providerAt(provider.url)
  const uploaded = await adapter.upload(key, linesOf('one', 'two\ud800'), signal)

  const body = provider.requests[0]?.body ?? ''
  expect(sent).toEqual({ length: String(Buffer.byteLength(body)), coding: undefined })
  expect(provider.requests.map(({ method, path: asked }) => `${method} ${asked}`)).toEqual([
    'POST /v1/files',
    ...Array.from({ length: 4 }, () => 'GET /v1/files/file-1')
  ])
  const form = await new Response(body, {
    headers: { 'content-type': `multipart/form-data; boundary=${/^--(\S+)/.exec(body)?.[1]}` }
  }).formData()
  const part = form.get('file')
  if (!(part instanceof File)) throw new Error('no file was sent')
  const content = await part.text()
  expect(part.name).toBe(`ns.${ledger}.7.1.12.jsonl`)
  expect(uploaded).toEqual({ fileId: 'file-1', bytes: Buffer.byteLength(content) })
  expect(content.split('\n').map(line => line && JSON.parse(line).body.input)).toEqual([
    'one',
    'two\ufffd',
    ''
  ])
  expect(Object.fromEntries([...form].filter(([name]) => name !== 'file'))).toEqual({
    purpose: 'batch',
    'expires_after[anchor]': 'created_at',
    'expires_after[seconds]': '604800'
  })
})

test.each([
  [
    'an upload that is too large for the provider',
    apiError(413, { message: 'too large' }),
    'EMBED_TOO_LARGE'
  ],
  [
    'an upload that it refuses',
    apiError(400, { message: 'Invalid file format for Batch API.' }),
    'EMBED_REFUSED'
  ],
  ['a rate limit', apiError(429, { message: 'slow down' }), 'EMBED_RATE_LIMITED'],
  ['an answer without an id', json(200, {}), 'EMBED_OUTCOME_UNKNOWN'],
  ['an answer that breaks off', bytes('{"id":'), 'EMBED_OUTCOME_UNKNOWN'],
  ['no answer', () => undefined, 'EMBED_OUTCOME_UNKNOWN'],
  ['a provider without files', apiError(404, { message: 'not found' }), 'EMBED_REFUSED']
] as const)('%s fails the upload', async (_, reply, code) => {
  await using provider = await openScriptedProvider(routes({ 'POST /v1/files': reply }))
  const adapter = await providerAt(provider.url, { uploadMs: 300 })

  await expect(adapter.upload(key, linesOf('a'), signal)).rejects.toMatchObject({ code })
  expect(provider.requests).toHaveLength(1)
})

test('an uploaded file that stays away, or is refused afterwards, fails the upload', async () => {
  const created = json(200, file)
  await using away = await openScriptedProvider(routes({ 'POST /v1/files': created }))
  const adapter = await providerAt(away.url, { visibleMs: 250 })
  await expect(adapter.upload(key, linesOf('a'), signal)).rejects.toMatchObject({
    code: 'EMBED_OUTCOME_UNKNOWN'
  })

  const refusal = json(200, { ...file, status: 'error', status_details: 'line 1 is odd' })
  await using refusing = await openScriptedProvider(
    routes({ 'POST /v1/files': created, 'GET /v1/files/file-1': refusal })
  )
  await expect((await providerAt(refusing.url)).upload(key, linesOf('a'), signal)).rejects.toMatchObject({
    code: 'EMBED_REFUSED',
    message: 'line 1 is odd'
  })
})

test('a file of too many bytes is not sent', async () => {
  await using provider = await openScriptedProvider(json(500, {}))
  const adapter = await providerAt(provider.url, { maxFileBytes: 1_000 })

  await expect(adapter.upload(key, linesOf('a'.repeat(900)), signal)).rejects.toMatchObject({
    code: 'EMBED_TOO_LARGE'
  })
  expect(provider.requests).toEqual([])
})

test('an input file without a line is a mistake', async () => {
  const adapter = await providerAt('http://127.0.0.1:9/v1')
  await expect(adapter.upload(key, linesOf(), signal)).rejects.toThrow(RangeError)
})

test('a line longer than what is written at once is written whole', async () => {
  await using provider = await openScriptedProvider(
    routes({ 'POST /v1/files': json(200, file), 'GET /v1/files/file-1': json(200, file) })
  )
  const long = 'ä'.repeat(300_000)
  const { bytes: written } = await (await providerAt(provider.url)).upload(
    key,
    linesOf('a', long, 'b'),
    signal
  )

  expect(provider.requests[0]?.body).toContain(`"input":"${long}"`)
  expect(written).toBeGreaterThan(600_000)
})

test('creates a job that carries its names', async () => {
  await using provider = await openScriptedProvider(routes({ 'POST /v1/batches': json(200, batch) }))
  const report = await (await providerAt(provider.url)).create(key, 'file-1', signal)

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
  const adapter = await providerAt(provider.url, { deadlineMs: 300 })

  await expect(adapter.create(key, 'file-1', signal)).rejects.toMatchObject({ code })
  expect(provider.requests).toHaveLength(1)
})

test('a provider that cannot be reached made no job', async () => {
  const closed = await openScriptedProvider(json(500, {}))
  await closed[Symbol.asyncDispose]()
  const adapter = await providerAt(closed.url)
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
  expect((await (await providerAt(provider.url)).find(key, signal))?.batchId).toBe('batch_1')
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
  expect(await (await providerAt(provider.url)).find(key, signal)).toBeUndefined()
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
    expect(await (await providerAt(provider.url)).find(key, signal)).toBeUndefined()
    expect(await (await providerAt(provider.url, { findMs: 9 * 86_400_000 })).find(key, signal)).toBeDefined()
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
  const { errors } = await (await providerAt(provider.url)).report('batch_1', signal)
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
  expect((await (await providerAt(provider.url)).report('batch_1', signal)).errors[0]?.content).toBe(
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
  const adapter = await providerAt(provider.url)
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
  ['cut with a clean end', unmeasured('{"x"'), 'EMBED_UNAVAILABLE'],
  ['broken off', broken('{"x"', 100), 'EMBED_OUTCOME_UNKNOWN'],
  ['longer than it is', bytes('x'.repeat(10_000)), 'EMBED_UNAVAILABLE'],
  ['refused by a gateway', apiError(502, { message: 'bad gateway' }), 'EMBED_OUTCOME_UNKNOWN']
])('a file that comes %s is fetched again, and given up after three times', async (_, reply, code) => {
  const line = JSON.stringify(answered(customId(0), base64([1, 2, 3, 4])))
  const whole = json(200, { id: 'file-out', bytes: line.length })
  const files = { outputFileId: 'file-out', errorFileId: undefined }
  const content = 'GET /v1/files/file-out/content'
  await using twice = await openScriptedProvider(
    routes({ 'GET /v1/files/file-out': whole, [content]: [reply, reply, unmeasured(line)] })
  )
  await using results = await (await providerAt(twice.url)).results(key, files, signal)
  expect((await results.read([contentOf(0)])).get(contentOf(0))?.kind).toBe('vector')

  await using always = await openScriptedProvider(
    routes({ 'GET /v1/files/file-out': whole, [content]: reply })
  )
  await expect((await providerAt(always.url)).results(key, files, signal)).rejects.toMatchObject({ code })
  expect(always.requests.filter(({ path: asked }) => asked.endsWith('/content'))).toHaveLength(3)
})

test('a download that stalls is given up', async () => {
  const stalled: Reply = response => {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 100 })
    response.write('{')
  }
  await using provider = await openScriptedProvider(
    routes({ 'GET /v1/files/file-out': json(200, { bytes: 100 }), 'GET /v1/files/file-out/content': stalled })
  )
  const adapter = await providerAt(provider.url, { deadlineMs: 150 })
  const files = { outputFileId: 'file-out', errorFileId: undefined }
  await expect(adapter.results(key, files, signal)).rejects.toMatchObject({ code: 'EMBED_OUTCOME_UNKNOWN' })
})

test('a download stops when it is told to, and leaves nothing', async () => {
  const stop = new AbortController()
  const reason = new Error('stopping')
  const stalled: Reply = response => {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 100 })
    response.write('{', () => stop.abort(reason))
  }
  await using provider = await openScriptedProvider(
    routes({ 'GET /v1/files/file-out': json(200, { bytes: 100 }), 'GET /v1/files/file-out/content': stalled })
  )
  const files = { outputFileId: 'file-out', errorFileId: undefined }
  await expect((await providerAt(provider.url)).results(key, files, stop.signal)).rejects.toBe(reason)
  expect(await readdir(directory)).toEqual([])
})

test('a size that the provider does not tell cannot be compared', async () => {
  const line = JSON.stringify(answered(customId(0), base64([1, 2, 3, 4])))
  await using provider = await openScriptedProvider(
    routes({
      'GET /v1/files/file-out': json(200, { bytes: null }),
      'GET /v1/files/file-out/content': unmeasured(line)
    })
  )
  const files = { outputFileId: undefined, errorFileId: 'file-out' }
  await using results = await (await providerAt(provider.url)).results(key, files, signal)
  expect(results.lines).toBe(1)
})

test.each([
  [json(200, batch), undefined],
  [apiError(409, { message: "Cannot cancel a batch with status 'completed'." }), undefined],
  [apiError(404, { message: 'no batch' }), 'JOB_GONE'],
  [apiError(500, { message: 'oops' }), 'EMBED_OUTCOME_UNKNOWN']
])('a job is cancelled once, and harmlessly when it has ended: %#', async (reply, code) => {
  await using provider = await openScriptedProvider(routes({ 'POST /v1/batches/batch_1/cancel': reply }))
  const cancelled = (await providerAt(provider.url)).cancel('batch_1', signal)
  if (code === undefined) await expect(cancelled).resolves.toBeUndefined()
  else await expect(cancelled).rejects.toMatchObject({ code })
  expect(provider.requests).toHaveLength(1)
})

test('deletes a file, gone or not, and says when it cannot', async () => {
  const reply = [
    json(200, { deleted: true }),
    apiError(404, { message: 'gone' }),
    apiError(500, { message: 'oops' })
  ]
  await using provider = await openScriptedProvider(routes({ 'DELETE /v1/files/file-1': reply }))
  const adapter = await providerAt(provider.url)
  await expect(adapter.deleteFile('file-1', signal)).resolves.toBeUndefined()
  await expect(adapter.deleteFile('file-1', signal)).resolves.toBeUndefined()
  await expect(adapter.deleteFile('file-1', signal)).rejects.toMatchObject({ code: 'EMBED_OUTCOME_UNKNOWN' })
})

test('lists the input files that are ours, page by page', async () => {
  const named = (id: string, filename: unknown): object => ({ id, filename, purpose: 'batch' })
  await using provider = await openScriptedProvider(
    routes({
      'GET /v1/files': [
        json(200, {
          data: [named('file-1', `ns.${ledger}.1.1.1.jsonl`), named('file-2', 'input.jsonl')],
          has_more: true
        }),
        json(200, {
          data: [named('file-3', `ns.x.${ledger}.1.1.1.jsonl`), named('file-4', null)],
          has_more: true
        }),
        json(200, { data: [named('file-5', `ns.${ledger}.7.1.12.jsonl`)], has_more: false })
      ]
    })
  )
  expect(await (await providerAt(provider.url)).inputFiles('ns', signal)).toEqual([
    { fileId: 'file-1', key: { namespace: 'ns', ledger, manifest: '1.1.1' } },
    { fileId: 'file-5', key: { namespace: 'ns', ledger, manifest: '7.1.12' } }
  ])
  expect(provider.requests.map(({ path: asked }) => asked)).toEqual([
    '/v1/files?purpose=batch&limit=10000',
    '/v1/files?purpose=batch&limit=10000&after=file-2',
    '/v1/files?purpose=batch&limit=10000&after=file-4'
  ])
})

test('a provider that knows no batches is refused by the check', async () => {
  await using provider = await openScriptedProvider(routes({}))
  await expect((await providerAt(provider.url)).check(signal)).rejects.toMatchObject({
    code: 'EMBED_REFUSED'
  })
})

test('results of a job of another provider, with all its liberties', async () => {
  const content = (index: number): Digest => contentOf(index)
  const output = `\ufeff${JSON.stringify({
    error: '',
    response: { body: { usage: { total_tokens: 5 }, data: [{ embedding: [1, 0.5, 0.25, 0] }] } },
    custom_id: customId(0)
  })}\r\n${JSON.stringify({ custom_id: customId(1), response: { status_code: '500', body: { detail: 'busy' } } })}`
  await using provider = await openScriptedProvider(
    routes({
      'GET /v1/files/file-out': json(200, { id: 'file-out', bytes: String(Buffer.byteLength(output)) }),
      'GET /v1/files/file-out/content': unmeasured(output)
    })
  )
  const files = { outputFileId: 'file-out', errorFileId: undefined }
  await using results = await (await providerAt(provider.url)).results(key, files, signal)
  const outcomes = await results.read([content(0), content(1)])
  expect(outcomes.get(content(0))).toMatchObject({ kind: 'vector', paidTokens: 5 })
  expect(outcomes.get(content(1))).toEqual({ kind: 'failed', reason: 'status 500: busy' })
})
