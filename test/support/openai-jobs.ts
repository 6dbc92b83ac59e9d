// Jobs of the OpenAI adapter for tests: one directory a test file, one manifest, and lines for it.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openBatchProvider, type OpenaiBatchOptions } from '@pointsman/core/adapters/openai/batch-provider'
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { BatchLine, BatchProvider } from '@pointsman/core/ports/batch-provider'
import { afterAll, expect } from 'vitest'
import { contentOf } from './result-lines.ts'

export const ledger = '0c5f2b1e-9f63-4f0a-8a52-3d2c5a6f7b80'
export const key = { namespace: 'ns', ledger, manifest: '7.1.12' as ObligationId, create: 3 }
export const metadata = {
  pointsman_namespace: 'ns',
  pointsman_ledger: ledger,
  pointsman_manifest: '7.1.12',
  pointsman_create: '3'
}
export const file = { id: 'file-1', object: 'file', bytes: 10, status: 'processed', purpose: 'batch' }
export const batch = {
  id: 'batch_1',
  object: 'batch',
  status: 'validating',
  input_file_id: 'file-1',
  metadata
}

export class BatchSpool {
  readonly directory: string

  private constructor(directory: string) {
    this.directory = directory
  }

  /** One for a whole test file; at its end nothing may be left in it. */
  static async open(): Promise<BatchSpool> {
    const directory = await mkdtemp(path.join(tmpdir(), 'pointsman-provider-'))
    const spool = new BatchSpool(directory)
    afterAll(async () => {
      expect(await spool.files()).toEqual([])
      await rm(directory, { recursive: true, force: true })
    })
    return spool
  }

  async files(): Promise<readonly string[]> {
    return await readdir(this.directory)
  }

  async providerAt(url: string, options: Partial<OpenaiBatchOptions> = {}): Promise<BatchProvider> {
    const settings = {
      OPENAI_API_KEY: 'key',
      OPENAI_BASE_URL: url,
      EMBEDDING_MODEL: 'text-embedding-3-small',
      EMBEDDING_DIMENSIONS: 4
    }
    return await openBatchProvider(settings, { directory: this.directory, deadlineMs: 5_000, ...options })
  }
}

export async function* linesOf(...texts: readonly string[]): AsyncGenerator<BatchLine> {
  await Promise.resolve()
  for (const [index, text] of texts.entries()) {
    yield { content: contentOf(index), partition: 0, offset: BigInt(index), text }
  }
}
