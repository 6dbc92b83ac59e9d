// What clients meet when the server has a bad time: storms of errors, lists that lag, a clock that goes wrong.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { batchLines, createBatch, uploadLines, waitForBatch } from '../../support/local-openai-batch.ts'
import { serveLocalOpenai, spawnLocalOpenai } from '../../support/local-openai-process.ts'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'

const body = { model: 'text-embedding-3-small', input: 'a' }

test('a storm of 429 strikes its share of the requests of all routes', async () => {
  await using server = await openLocalOpenai()
  const storm = { kind: 'rate_limited', route: 'any', share: 0.5, forMs: 600_000, retryAfter: 3 }
  await server.put('/faults', { rules: [storm] })
  const ask = async (index: number): Promise<Response> =>
    await (index % 2 === 0 ? server.post(body) : fetch(`${server.url}/batches`, auth))
  const answers = await Array.fromAsync({ length: 60 }, (_, index) => ask(index))

  const struck = answers.filter(({ status }) => status === 429)
  expect(struck.length).toBeGreaterThan(18)
  expect(struck.length).toBeLessThan(42)
  expect(struck.map(({ headers }) => headers.get('retry-after'))).toEqual(struck.map(() => '3'))
  expect(new Set(struck.map(({ url }) => url)).size).toBe(2)
  expect(await server.get('/faults')).toMatchObject({ rules: [{ seen: 60, played: struck.length }] })
})

test('a storm is over by itself', async () => {
  await using server = await openLocalOpenai()
  const statusNow = async (): Promise<number> => (await server.post(body)).status
  const beforeMs = performance.now()
  await server.put('/faults', { rules: [{ kind: 'slow_down', forMs: 1_500 }] })
  expect(await statusNow()).toBe(429)
  await expect.poll(statusNow, { timeout: 10_000 }).toBe(200)
  expect(performance.now() - beforeMs).toBeGreaterThanOrEqual(1_500)
})

test('a storm of 500 comes when it is due, pays nothing, and leaves room for another rule', async () => {
  await using server = await openLocalOpenai()
  const rules = [
    { kind: 'http_error', status: 500, forMs: 60_000, share: 1 },
    { kind: 'http_error', status: 503, route: 'any', forMs: 60_000 },
    { kind: 'unauthorized', route: 'models', fromMs: 3_600_000 }
  ]
  await server.put('/faults', { rules })
  expect((await server.post(body)).status).toBe(500)
  expect((await fetch(`${server.url}/models`, auth)).status).toBe(503)
  expect(await server.get('/bill')).toMatchObject({ realtime: { requests: 0 } })
})

test('a file that the list does not show yet is there all the same', async () => {
  await using server = await openLocalOpenai({ clockFactor: 0 })
  await server.put('/faults', { rules: [{ kind: 'file_hidden', seconds: 30, where: 'list', nth: 1 }] })
  const client = server.client()
  const { id } = await createBatch(client, batchLines(3))
  const listed = async (): Promise<number> => (await client.files.list({ purpose: 'batch' })).data.length
  expect(await listed()).toBe(0)
  await server.put('/clock', { advanceSeconds: 29 })
  expect(await listed()).toBe(0)
  expect((await waitForBatch(client, id, 'completed')).request_counts?.completed).toBe(3)
  await server.put('/clock', { advanceSeconds: 1 })
  expect(await listed()).toBe(1)
})

test('a clock that is set back shows other times of what is made then, and changes nothing else', async () => {
  await using server = await openLocalOpenai({
    clockFactor: 0,
    turnaround: { kind: 'fixed', seconds: 3_600 }
  })
  const client = server.client()
  const before = await createBatch(client, batchLines(4))
  expect(await server.put('/clock', { skewSeconds: -7_200 })).toMatchObject({ skewSeconds: -7_200 })
  const skewed = await createBatch(client, batchLines(4))
  await server.put('/clock', { skewSeconds: 600 })
  const ahead = await createBatch(client, batchLines(4))
  expect(skewed.created_at - before.created_at).toBe(-7_200)
  expect(skewed.expires_at! - skewed.created_at).toBe(86_400)
  expect(ahead.created_at - before.created_at).toBe(600)
  expect((await client.files.retrieve(skewed.input_file_id)).created_at).toBe(skewed.created_at)
  const { created_at, expires_at } = await client.batches.retrieve(before.id)
  expect([created_at, expires_at]).toEqual([before.created_at, before.expires_at])
  const order = [ahead.id, before.id, skewed.id]
  expect((await client.batches.list()).data.map(({ id }) => id)).toEqual(order)
  const pages: string[] = []
  for await (const { id } of client.batches.list({ limit: 1 })) pages.push(id)
  expect(pages).toEqual(order)

  await server.put('/clock', { advanceSeconds: 3_600 })
  const done = await Promise.all(order.map(id => client.batches.retrieve(id)))
  expect(done.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed'])
  expect(done.map(batch => batch.completed_at! - batch.created_at)).toEqual([3_600, 3_600, 3_600])
  const output = await client.files.retrieve(done[2]!.output_file_id!)
  expect(output.created_at).toBe(done[2]!.completed_at)
  await server.put('/clock', { skewSeconds: 0 })
  expect(await server.get('/clock')).toMatchObject({ skewSeconds: 0 })
})

test('a second server does not start on the data folder of another, until that one is gone', async () => {
  const dataDir = join(mkdtempSync(join(tmpdir(), 'local-openai-')), 'data')
  await using first = await serveLocalOpenai('--data-dir', dataDir)
  const id = await uploadLines(first.client, batchLines(1))
  const second = spawnLocalOpenai('--data-dir', dataDir)
  const [code, said] = await Promise.all([
    new Promise(resolve => second.on('exit', resolve)),
    Array.fromAsync(second.stderr!)
  ])
  expect(code).toBe(1)
  expect(Buffer.concat(said).toString()).toContain(`another server uses the data folder ${dataDir}`)
  await expect(openLocalOpenai({ dataDir })).rejects.toThrow('another server uses the data folder')
  expect(await first.client.files.retrieve(id)).toMatchObject({ id })

  await first.kill()
  await using third = await openLocalOpenai({ dataDir })
  expect(await third.client().files.retrieve(id)).toMatchObject({ id })
  await expect(openLocalOpenai({ dataDir })).rejects.toThrow('another server uses the data folder')
})

const auth = { headers: { authorization: 'Bearer test-key' } }
