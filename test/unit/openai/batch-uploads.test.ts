// Input files on their way to a scripted provider.
import { expect, test } from 'vitest'
import { BatchSpool, file, key, ledger, linesOf } from '../../support/openai-jobs.ts'
import { apiError, json, openScriptedProvider, type Reply } from '../../support/scripted-provider.ts'
import { bytes, routes } from '../../support/scripted-routes.ts'

const { signal } = new AbortController()
const spool = await BatchSpool.open()

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
  const adapter = await spool.providerAt(provider.url)
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
  const adapter = await spool.providerAt(provider.url, { uploadMs: 300 })

  await expect(adapter.upload(key, linesOf('a'), signal)).rejects.toMatchObject({ code })
  expect(provider.requests).toHaveLength(1)
})

test('an uploaded file that stays away, or is refused afterwards, fails the upload', async () => {
  const created = json(200, file)
  await using away = await openScriptedProvider(routes({ 'POST /v1/files': created }))
  const adapter = await spool.providerAt(away.url, { visibleMs: 250 })
  await expect(adapter.upload(key, linesOf('a'), signal)).rejects.toMatchObject({
    code: 'EMBED_OUTCOME_UNKNOWN'
  })

  const refusal = json(200, { ...file, status: 'error', status_details: 'line 1 is odd' })
  await using refusing = await openScriptedProvider(
    routes({ 'POST /v1/files': created, 'GET /v1/files/file-1': refusal })
  )
  await expect(
    (await spool.providerAt(refusing.url)).upload(key, linesOf('a'), signal)
  ).rejects.toMatchObject({
    code: 'EMBED_REFUSED',
    message: 'line 1 is odd'
  })
})

test('a file of too many bytes is not sent', async () => {
  await using provider = await openScriptedProvider(json(500, {}))
  const adapter = await spool.providerAt(provider.url, { maxFileBytes: 1_000 })

  await expect(adapter.upload(key, linesOf('a'.repeat(900)), signal)).rejects.toMatchObject({
    code: 'EMBED_TOO_LARGE'
  })
  expect(provider.requests).toEqual([])
})

test('an input file without a line is a mistake', async () => {
  const adapter = await spool.providerAt('http://127.0.0.1:9/v1')
  await expect(adapter.upload(key, linesOf(), signal)).rejects.toThrow(RangeError)
})

test('a line longer than what is written at once is written whole', async () => {
  await using provider = await openScriptedProvider(
    routes({ 'POST /v1/files': json(200, file), 'GET /v1/files/file-1': json(200, file) })
  )
  const long = 'ä'.repeat(300_000)
  const { bytes: written } = await (await spool.providerAt(provider.url)).upload(
    key,
    linesOf('a', long, 'b'),
    signal
  )

  expect(provider.requests[0]?.body).toContain(`"input":"${long}"`)
  expect(written).toBeGreaterThan(600_000)
})
