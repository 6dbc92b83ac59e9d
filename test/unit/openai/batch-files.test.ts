// Result files of a scripted provider, cut and whole, and the files that lie there.
import type { Digest } from '@pointsman/core/domain/identity'
import { expect, test } from 'vitest'
import { BatchSpool, key, ledger } from '../../support/openai-jobs.ts'
import { answered, base64, contentOf, customId } from '../../support/result-lines.ts'
import { apiError, json, openScriptedProvider, type Reply } from '../../support/scripted-provider.ts'
import { broken, bytes, routes, unmeasured } from '../../support/scripted-routes.ts'

const { signal } = new AbortController()
const spool = await BatchSpool.open()

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
  await using results = await (await spool.providerAt(twice.url)).results(key, files, signal)
  expect((await results.read([contentOf(0)])).get(contentOf(0))?.kind).toBe('vector')

  await using always = await openScriptedProvider(
    routes({ 'GET /v1/files/file-out': whole, [content]: reply })
  )
  await expect((await spool.providerAt(always.url)).results(key, files, signal)).rejects.toMatchObject({
    code
  })
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
  const adapter = await spool.providerAt(provider.url, { deadlineMs: 150 })
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
  await expect((await spool.providerAt(provider.url)).results(key, files, stop.signal)).rejects.toBe(reason)
  expect(await spool.files()).toEqual([])
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
  await using results = await (await spool.providerAt(provider.url)).results(key, files, signal)
  expect(results.lines).toBe(1)
})

test('deletes a file, gone or not, and says when it cannot', async () => {
  const reply = [
    json(200, { deleted: true }),
    apiError(404, { message: 'gone' }),
    apiError(500, { message: 'oops' })
  ]
  await using provider = await openScriptedProvider(routes({ 'DELETE /v1/files/file-1': reply }))
  const adapter = await spool.providerAt(provider.url)
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
  expect(await (await spool.providerAt(provider.url)).inputFiles('ns', signal)).toEqual([
    { fileId: 'file-1', key: { namespace: 'ns', ledger, manifest: '1.1.1' } },
    { fileId: 'file-5', key: { namespace: 'ns', ledger, manifest: '7.1.12' } }
  ])
  expect(provider.requests.map(({ path: asked }) => asked)).toEqual([
    '/v1/files?purpose=batch&limit=10000',
    '/v1/files?purpose=batch&limit=10000&after=file-2',
    '/v1/files?purpose=batch&limit=10000&after=file-4'
  ])
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
  await using results = await (await spool.providerAt(provider.url)).results(key, files, signal)
  const outcomes = await results.read([content(0), content(1)])
  expect(outcomes.get(content(0))).toMatchObject({ kind: 'vector', paidTokens: 5 })
  expect(outcomes.get(content(1))).toEqual({ kind: 'failed', reason: 'status 500: busy' })
})
