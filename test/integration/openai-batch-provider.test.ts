// The adapter against the local server: the contract, and what the provider may do to a call.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openBatchProvider } from '@pointsman/core/adapters/openai/batch-provider'
import type { BatchProvider } from '@pointsman/core/ports/batch-provider'
import { afterAll, expect, vi } from 'vitest'
import { batchProviderContract } from '../contract/batch-provider.ts'
import { type LocalOpenaiUnderTest, openLocalOpenai } from '../support/local-openai-under-test.ts'

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
