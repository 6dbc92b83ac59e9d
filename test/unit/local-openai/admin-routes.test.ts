import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BatchQueue } from '@pointsman/local-openai/batches/batch-queue'
import { Bill } from '@pointsman/local-openai/bill'
import { SystemClock } from '@pointsman/local-openai/clock'
import { Journal } from '@pointsman/local-openai/exchange'
import { FastVectors } from '@pointsman/local-openai/fast-vectors'
import { FaultScript } from '@pointsman/local-openai/fault-script'
import { createHttpApp } from '@pointsman/local-openai/http-app'
import { unlimited } from '@pointsman/local-openai/limits'
import { openStore } from '@pointsman/local-openai/open-store'
import { RateLimiter } from '@pointsman/local-openai/rate-limiter'
import { SeededRandom } from '@pointsman/local-openai/seeded-random'
import { TokenCounter } from '@pointsman/local-openai/token-counter'
import { Webhooks } from '@pointsman/local-openai/webhooks'
import { expect, test } from 'vitest'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'

const never = new AbortController().signal

function createApp(): ReturnType<typeof createHttpApp> {
  const parts = { vectors: new FastVectors(), counter: new TokenCounter(), bill: new Bill() }
  const store = openStore(mkdtempSync(join(tmpdir(), 'local-openai-')), 1)
  const limits = () => unlimited
  const clock = new SystemClock()
  const news = { clock, stopped: never, drawFault: () => undefined }
  const server = {
    ...store,
    ...parts,
    clock,
    webhooks: new Webhooks({ url: null, secret: 'whsec_' }, news),
    maxBatchFileBytes: 1000,
    batches: new BatchQueue({ ...store, ...parts, limits, seed: 1 }, { kind: 'none' }),
    journal: new Journal(10),
    random: new SeededRandom(1),
    latency: { kind: 'fixed', ms: 0 } as const,
    limiter: new RateLimiter(unlimited),
    faults: new FaultScript([]),
    apiKeys: undefined,
    stopped: never,
    abandoned: never
  }
  return createHttpApp(server, 1000)
}

test.each([
  ['127.0.0.1', 200],
  ['127.8.9.10', 200],
  ['::ffff:127.0.0.1', 200],
  ['::1', 200],
  ['10.0.0.7', 403],
  ['::ffff:10.0.0.7', 403],
  ['fe80::1', 403]
])('whoever asks from %s gets %i', async (remoteAddress, status) => {
  await using app = createApp()
  const answer = await app.inject({ url: '/_local/bill', remoteAddress })
  expect(answer.statusCode).toBe(status)
  const models = await app.inject({
    url: '/v1/models',
    remoteAddress,
    headers: { authorization: 'Bearer k' }
  })
  expect(models.statusCode).toBe(200)
})

test('the journal keeps the last requests, without those of its readers', async () => {
  await using server = await openLocalOpenai({ journalLimit: 3 })
  for (let sent = 0; sent < 8; sent++) {
    await server.post({ model: 'text-embedding-3-small', input: 'a '.repeat(sent + 1) })
  }
  const tokens = [7, 8, 9].map(count => ({ tokens: count, status: 200, paid: true }))
  expect(await server.get('/journal')).toMatchObject({ exchanges: tokens })
  expect(await server.get('/journal?last=1')).toMatchObject({ exchanges: tokens.slice(-1) })
  expect(await server.delete('/journal')).toEqual({ exchanges: [] })
  expect(await server.get('/journal?last=x')).toMatchObject({ error: { type: 'invalid_request_error' } })
})
