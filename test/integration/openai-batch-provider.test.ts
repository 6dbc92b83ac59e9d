// The adapter against the local server: the contract, and what the provider may do to a call.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openBatchProvider } from '@pointsman/core/adapters/openai/batch-provider'
import type { BatchProvider } from '@pointsman/core/ports/batch-provider'
import { afterAll, expect, test, vi } from 'vitest'
import { batchProviderContract } from '../contract/batch-provider.ts'
import { type LocalOpenaiUnderTest, openLocalOpenai } from '../support/local-openai-under-test.ts'
import { key, linesOf } from '../support/openai-jobs.ts'
import { contentOf, customId } from '../support/result-lines.ts'

const { signal } = new AbortController()
const opened = new AsyncDisposableStack()
afterAll(() => opened.disposeAsync())

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pointsman-batches-'))
  opened.defer(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function providerOn(server: LocalOpenaiUnderTest, directory: string): Promise<BatchProvider> {
  const settings = {
    OPENAI_API_KEY: 'test-key',
    OPENAI_BASE_URL: server.url,
    EMBEDDING_MODEL: 'text-embedding-3-small',
    EMBEDDING_DIMENSIONS: 256
  }
  return await openBatchProvider(settings, { directory, deadlineMs: 5_000 })
}

/** A cancelled job takes up to ten minutes, of the server's own time. */
async function end(server: LocalOpenaiUnderTest, provider: BatchProvider, batchId: string): Promise<void> {
  await vi.waitUntil(
    async () => {
      await server.put('/clock', { advanceSeconds: 60 })
      const { status } = await provider.report(batchId, signal)
      return ['completed', 'failed', 'expired', 'cancelled'].includes(status)
    },
    { timeout: 10_000, interval: 20 }
  )
}

batchProviderContract('openai', async () => {
  const server = opened.use(await openLocalOpenai())
  const directory = await newDirectory()
  const provider = await providerOn(server, directory)
  opened.defer(async () => expect(await readdir(directory)).toEqual([]))
  return { provider, end: batchId => end(server, provider, batchId) }
})

test('a job that expires half-way gives what ran, and says of the rest that it did not', async () => {
  const turnaround = { kind: 'fixed', seconds: 2 * 86_400 } as const
  await using server = await openLocalOpenai({ turnaround, clockFactor: 0 })
  const provider = await providerOn(server, await newDirectory())
  const texts = Array.from({ length: 100 }, (_, index) => `text ${index}`)
  const { fileId } = await provider.upload(key, linesOf(...texts), signal)
  const { batchId } = await provider.create(key, fileId, signal)
  await server.put('/clock', { advanceSeconds: 25 * 3_600 })
  const report = await provider.report(batchId, signal)
  expect(report.status).toBe('expired')

  await using results = await provider.results(key, report, signal)
  const outcomes = [...(await results.read(texts.map((_, index) => contentOf(index)))).values()]
  const vectors = outcomes.filter(({ kind }) => kind === 'vector')
  const failed = outcomes.filter(
    outcome => outcome.kind === 'failed' && outcome.reason.startsWith('batch_expired')
  )
  expect(vectors.length).toBeGreaterThan(10)
  expect(failed.length).toBeGreaterThan(10)
  expect(vectors.length + failed.length).toBe(100)
  expect(report).toMatchObject({ completed: vectors.length })
  expect(await server.get('/payments')).toMatchObject({ total: vectors.length })
})

test('the text of a line that fails validation is named', async () => {
  await using server = await openLocalOpenai()
  const provider = await providerOn(server, await newDirectory())
  const body = { model: 'text-embedding-3-small', input: 'a' }
  const urls = ['/v1/embeddings', '/v1/embeddings', '/v1/moderations']
  const lines = urls.map((url, index) =>
    JSON.stringify({ custom_id: customId(index), method: 'POST', url, body })
  )
  const { id } = await server.client().files.create({
    file: new File([lines.join('\n')], 'input.jsonl'),
    purpose: 'batch'
  })
  const { batchId } = await provider.create(key, id, signal)
  await end(server, provider, batchId)

  expect(await provider.report(batchId, signal)).toMatchObject({
    status: 'failed',
    errors: [{ code: 'invalid_url', content: contentOf(2) }]
  })
  expect(await server.get('/payments')).toMatchObject({ total: 0 })
})

test('a job of twenty thousand texts comes back whole', async () => {
  await using server = await openLocalOpenai()
  const provider = await providerOn(server, await newDirectory())
  const texts = Array.from({ length: 20_000 }, (_, index) => `text ${index}`)
  const { fileId } = await provider.upload(key, linesOf(...texts), signal)
  const { batchId } = await provider.create(key, fileId, signal)
  await end(server, provider, batchId)
  const report = await provider.report(batchId, signal)

  await using results = await provider.results(key, report, signal)
  expect(results).toMatchObject({ lines: 20_000, strangers: 0, repeats: 0 })
  let vectors = 0
  for (let first = 0; first < texts.length; first += 256) {
    const contents = texts.slice(first, first + 256).map((_, index) => contentOf(first + index))
    for (const { kind } of (await results.read(contents)).values()) vectors += kind === 'vector' ? 1 : 0
  }
  expect(vectors).toBe(20_000)
})
