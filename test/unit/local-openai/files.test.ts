import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toFile } from 'openai'
import type OpenAI from 'openai'
import { expect, test } from 'vitest'
import { batchLines, uploadLines } from '../../support/local-openai-batch.ts'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'
import type { LocalOpenaiUnderTest } from '../../support/local-openai-under-test.ts'

const dayS = 86_400

function post(server: LocalOpenaiUnderTest, form: FormData): Promise<Response> {
  const headers = { authorization: 'Bearer k' }
  return fetch(`${server.url}/files`, { method: 'POST', headers, body: form })
}

function formOf(
  fields: Readonly<Record<string, string>>,
  content = batchLines(1),
  name = 'a.jsonl'
): FormData {
  const form = new FormData()
  form.set('file', new Blob([content]), name)
  for (const [field, value] of Object.entries(fields)) form.set(field, value)
  return form
}

async function errorOf(response: Promise<Response>): Promise<unknown> {
  const { status } = await response
  const { error } = Object(await (await response).json())
  return { status, ...error }
}

test('a file is stored, shown, listed, downloaded and deleted', async () => {
  await using server = await openLocalOpenai({ clockFactor: 0 })
  const client = server.client()
  const content = batchLines(3)
  const uploaded = await client.files.create({
    file: await toFile(Buffer.from(content), 'größe.jsonl'),
    purpose: 'batch'
  })
  const { now } = Object(await server.get('/clock'))
  expect(uploaded).toEqual({
    id: expect.stringMatching(/^file-[0-9A-Za-z]{22}$/),
    object: 'file',
    bytes: Buffer.byteLength(content),
    created_at: Math.floor(now),
    filename: 'größe.jsonl',
    purpose: 'batch',
    status: 'processed',
    expires_at: Math.floor(now) + 30 * dayS,
    status_details: null
  })
  expect(await client.files.retrieve(uploaded.id)).toEqual(uploaded)
  expect((await client.files.list()).data).toEqual([uploaded])
  const answer = await client.files.content(uploaded.id)
  expect(answer.headers.get('content-length')).toBe(String(uploaded.bytes))
  expect(await answer.text()).toBe(content)
  expect(await client.files.delete(uploaded.id)).toEqual({ id: uploaded.id, object: 'file', deleted: true })
  expect((await client.files.list()).data).toEqual([])
})

test('what is not there or no longer there is answered 404 with the parameter id', async () => {
  await using server = await openLocalOpenai({ clockFactor: 0 })
  const client = server.client()
  const id = await uploadLines(client, batchLines(1))
  await server.put('/clock', { advanceSeconds: 30 * dayS - 1 })
  expect((await client.files.retrieve(id)).id).toBe(id)
  await server.put('/clock', { advanceSeconds: 1 })
  for (const ask of [
    () => client.files.retrieve(id),
    () => client.files.content(id),
    () => client.files.delete('file-none')
  ]) {
    await expect(ask()).rejects.toMatchObject({ status: 404, param: 'id', type: 'invalid_request_error' })
  }
  await expect(client.files.retrieve('file-none')).rejects.toThrow('No such File object: file-none')
})

test('an upload without a length streams in, and its fields come in any order', async () => {
  await using server = await openLocalOpenai()
  const block = batchLines(2000)
  const form = new FormData()
  form.set('expires_after[anchor]', 'created_at')
  form.set('expires_after[seconds]', '3600')
  form.set('file', new Blob([block, block, block]), 'big.jsonl')
  form.set('purpose', 'user_data')
  const whole = new Response(form)
  const response = await fetch(`${server.url}/files`, {
    method: 'POST',
    headers: { authorization: 'Bearer k', 'content-type': whole.headers.get('content-type')! },
    body: whole.body,
    duplex: 'half'
  })
  const file: OpenAI.FileObject = JSON.parse(await response.text())
  expect(file).toMatchObject({ bytes: block.length * 3, purpose: 'user_data' })
  expect(file.expires_at! - file.created_at).toBe(3600)
  const content = await (await server.client().files.content(file.id)).text()
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
  expect(digest(content)).toBe(digest(block.repeat(3)))
})

test('files of other purposes may hold anything and stay for ever unless told', async () => {
  await using server = await openLocalOpenai()
  const response = await post(server, formOf({ purpose: 'assistants' }, '', 'notes.txt'))
  expect(await response.json()).toMatchObject({ bytes: 0, expires_at: null, filename: 'notes.txt' })
})

test.each<[string, FormData, object]>([
  [
    'another extension',
    formOf({ purpose: 'batch' }, batchLines(1), 'a.json'),
    { message: 'Invalid file format for Batch API. Must be .jsonl', param: null, code: null }
  ],
  [
    'a first line that is no JSON',
    formOf({ purpose: 'batch' }, 'a,b,c\n'),
    { message: 'Invalid file format for Batch API. Must be .jsonl' }
  ],
  [
    'no content',
    formOf({ purpose: 'batch' }, ''),
    { message: 'Invalid file format for Batch API. Must be .jsonl' }
  ],
  ['no purpose', formOf({}), { message: "Missing required parameter: 'purpose'.", param: 'purpose' }],
  [
    'a purpose of no upload',
    formOf({ purpose: 'batch_output' }),
    { param: 'purpose', code: 'invalid_value' }
  ],
  [
    'an expiry too soon',
    formOf({ purpose: 'batch', 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '3599' }),
    { param: 'expires_after[seconds]', code: 'integer_below_min_value' }
  ],
  [
    'an expiry too late',
    formOf({ purpose: 'batch', 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '2592001' }),
    { code: 'integer_above_max_value' }
  ],
  [
    'an expiry of no number',
    formOf({ purpose: 'batch', 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': 'soon' }),
    { code: 'invalid_type' }
  ],
  [
    'an expiry from elsewhere',
    formOf({ purpose: 'batch', 'expires_after[anchor]': 'now', 'expires_after[seconds]': '3600' }),
    { param: 'expires_after[anchor]' }
  ]
])('an upload with %s is refused and leaves nothing', async (_what, form, error) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'local-openai-'))
  await using server = await openLocalOpenai({ dataDir })
  expect(await errorOf(post(server, form))).toMatchObject({
    status: 400,
    type: 'invalid_request_error',
    ...error
  })
  expect(readdirSync(join(dataDir, 'files'))).toEqual([])
})

test('an upload without a file, or that is no form, is refused', async () => {
  await using server = await openLocalOpenai()
  const form = new FormData()
  form.set('purpose', 'batch')
  expect(await errorOf(post(server, form))).toMatchObject({ status: 400, param: 'file' })
  const headers = { authorization: 'Bearer k', 'content-type': 'multipart/form-data; boundary=x' }
  const cut = fetch(`${server.url}/files`, { method: 'POST', headers, body: '--x\r\nContent-Disp' })
  expect(await errorOf(cut)).toMatchObject({ status: 400, type: 'invalid_request_error' })
  const json = { ...headers, 'content-type': 'application/json' }
  expect(
    await errorOf(fetch(`${server.url}/files`, { method: 'POST', headers: json, body: '{}' }))
  ).toMatchObject({
    status: 400
  })
})

test('a byte order mark does not keep a file from being uploaded', async () => {
  await using server = await openLocalOpenai()
  expect((await post(server, formOf({ purpose: 'batch' }, `\u{FEFF}${batchLines(1)}`))).status).toBe(200)
})

test('a batch file that is too large is read to its end and refused', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'local-openai-'))
  const content = batchLines(20_000)
  await using server = await openLocalOpenai({ dataDir, maxBatchFileBytes: content.length - 1 })
  expect(await errorOf(post(server, formOf({ purpose: 'batch' }, content)))).toMatchObject({
    status: 413,
    message: `The batch input file is larger than the ${content.length - 1} maximum for the text-embedding-3-small model`
  })
  expect(readdirSync(join(dataDir, 'files'))).toEqual([])
  expect((await post(server, formOf({ purpose: 'batch' }, content.slice(0, -1)))).status).toBe(200)
  expect((await post(server, formOf({ purpose: 'evals' }, content))).status).toBe(200)
})

test('an upload whose connection is cut leaves nothing', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'local-openai-'))
  await using server = await openLocalOpenai({ dataDir })
  const stored = (): string[] => readdirSync(join(dataDir, 'files'))
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  const head = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
  socket.write(
    `POST /v1/files HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: 100000\r\n\r\n${head}${batchLines(5)}`
  )
  await expect.poll(stored).toHaveLength(1)
  socket.resetAndDestroy()
  await expect.poll(stored).toEqual([])
  expect((await server.client().files.list()).data).toEqual([])
})

test('lists go page by page, by purpose and in either order', async () => {
  await using server = await openLocalOpenai()
  const client = server.client()
  const ids: string[] = []
  for (const name of ['a', 'b', 'c', 'd', 'e'])
    ids.push(await uploadLines(client, batchLines(1), `${name}.jsonl`))
  await post(server, formOf({ purpose: 'evals' }))
  const first = await client.files.list({ purpose: 'batch', limit: 2 })
  expect(first.data.map(file => file.filename)).toEqual(['e.jsonl', 'd.jsonl'])
  const raw = await fetch(`${server.url}/files?limit=2&purpose=batch`, {
    headers: { authorization: 'Bearer k' }
  })
  expect(await raw.json()).toMatchObject({
    object: 'list',
    has_more: true,
    first_id: ids[4],
    last_id: ids[3]
  })
  const all: string[] = []
  for await (const file of client.files.list({ purpose: 'batch', limit: 2, order: 'asc' })) all.push(file.id)
  expect(all).toEqual(ids)
  expect((await client.files.list()).data).toHaveLength(6)
  await expect(client.files.list({ limit: 0 })).rejects.toMatchObject({ status: 400, param: 'limit' })
  await expect(client.files.list({ limit: 10_001 })).rejects.toMatchObject({ status: 400, param: 'limit' })
  await expect(client.files.list({ after: 'file-none' })).rejects.toMatchObject({ status: 404 })
})

test('a server that is stopped right after a download waits for nobody', async () => {
  for (let round = 0; round < 30; round++) {
    const server = await openLocalOpenai()
    const client = server.client()
    const id = await uploadLines(client, batchLines(1))
    await (await client.files.content(id)).text()
    const startMs = performance.now()
    await server[Symbol.asyncDispose]()
    expect(performance.now() - startMs).toBeLessThan(5000)
  }
})
