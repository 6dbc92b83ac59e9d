// What every BatchProvider must do. `open` gives one whose provider answers, and a way to bring jobs to their end.
import { randomUUID } from 'node:crypto'
import { vectorFault } from '@pointsman/core/domain/vector-bytes'
import type { BatchLine, JobReport } from '@pointsman/core/ports/batch-provider'
import { describe, expect, test } from 'vitest'
import {
  type BatchProviderUnderTest,
  digest,
  each,
  failureOf,
  linesOf,
  newKey,
  read,
  submit,
  vectorsOf
} from '../support/contract-jobs.ts'
import { batchListsContract } from './batch-provider-lists.ts'

const { signal } = new AbortController()

export function batchProviderContract(adapter: string, open: () => Promise<BatchProviderUnderTest>): void {
  batchListsContract(adapter, open)

  describe(`BatchProvider contract: ${adapter}`, () => {
    test('embeds each line of a job once it has ended', async () => {
      const { end, provider } = await open()
      const texts = [...Array.from({ length: 40 }, (_, index) => `text number ${index}`), 'text number 7']
      const { fileId, job, key, lines } = await submit(provider, texts)
      expect(job).toMatchObject({ inputFileId: fileId, errors: [] })
      expect(job.batchId).not.toBe('')

      await end(job.batchId)
      const report = await provider.report(job.batchId, signal)
      expect(report).toMatchObject({
        batchId: job.batchId,
        status: 'completed',
        word: 'completed',
        completed: 41
      })
      expect(report).toMatchObject({ failed: 0, errorFileId: undefined, errors: [] })

      await using results = await provider.results(key, report, signal)
      expect(results).toMatchObject({ lines: 41, strangers: 0, repeats: 0 })
      const vectors = await vectorsOf(results, lines)
      expect(vectors.map(vector => vectorFault(vector, provider.dimensions))).toEqual(
        texts.map(() => undefined)
      )
      expect(cosine(vectors[7]!, vectors[40]!)).toBeGreaterThan(0.99)
      expect(cosine(vectors[7]!, vectors[8]!)).toBeLessThan(0.99)
    })

    test('says what was charged, by line and by job', async () => {
      const { end, provider } = await open()
      const { job, key, lines } = await submit(provider, ['one', 'one two three four'])
      await end(job.batchId)
      const report = await provider.report(job.batchId, signal)

      await using results = await provider.results(key, report, signal)
      const outcomes = [...(await read(results, lines)).values()]
      const tokens = outcomes.map(outcome => (outcome.kind === 'vector' ? outcome.paidTokens : 0))
      expect(tokens[1]).toBeGreaterThan(tokens[0]!)
      expect(report.paidTokens ?? tokens[0]! + tokens[1]!).toBe(tokens[0]! + tokens[1]!)
    })

    test('rejects the line that cannot be embedded, and that line alone', async () => {
      const { end, provider } = await open()
      const { job, key, lines } = await submit(provider, ['fine', '', 'word '.repeat(8_200), 'fine too'])
      await end(job.batchId)
      const report = await provider.report(job.batchId, signal)
      expect(report).toMatchObject({ status: 'completed', failed: 2 })

      await using results = await provider.results(key, report, signal)
      const outcomes = await read(results, lines)
      expect(lines.map(({ content }) => outcomes.get(content)?.kind)).toEqual([
        'vector',
        'rejected',
        'rejected',
        'vector'
      ])
      for (const { content } of lines.slice(1, 3)) {
        expect(outcomes.get(content)).toMatchObject({ paidTokens: 0, reason: expect.stringMatching(/./) })
      }
    })

    test('takes any text', async () => {
      const { end, provider } = await open()
      const texts = [' ', '\n', 'ä€𝄞', '"\\\u0000', '\ud800 alone', 'a\u2028b', '\ufeffmarked']
      const { job, key, lines } = await submit(provider, texts)
      await end(job.batchId)

      await using results = await provider.results(key, await provider.report(job.batchId, signal), signal)
      expect(await vectorsOf(results, lines)).toHaveLength(texts.length)
    })

    test('does not know what stands in neither file', async () => {
      const { end, provider } = await open()
      const { job, key } = await submit(provider, ['a'])
      await end(job.batchId)
      const report = await provider.report(job.batchId, signal)

      await using results = await provider.results(key, report, signal)
      expect(await results.read([digest(), digest()])).toEqual(new Map())
      await using empty = await provider.results(
        key,
        { outputFileId: undefined, errorFileId: undefined },
        signal
      )
      expect(empty).toMatchObject({ lines: 0, strangers: 0, repeats: 0 })
      expect(await empty.read([digest()])).toEqual(new Map())
    })

    test('ends a job early: each line succeeded, failed, or is in neither file', async () => {
      const { end, provider } = await open()
      const { job, key, lines } = await submit(provider, ['a', 'b', 'c', 'd'])
      await provider.cancel(job.batchId, signal)
      await end(job.batchId)
      const report = await provider.report(job.batchId, signal)
      expect(['cancelled', 'completed']).toContain(report.status)

      await using results = await provider.results(key, report, signal)
      for (const outcome of (await read(results, lines)).values()) {
        expect(['vector', 'failed']).toContain(outcome.kind)
      }
      await provider.cancel(job.batchId, signal)
      expect((await provider.report(job.batchId, signal)).status).toBe(report.status)
    })

    test('lets a job be cancelled that has completed, which changes nothing', async () => {
      const { end, provider } = await open()
      const { job } = await submit(provider, ['a'])
      await end(job.batchId)
      await provider.cancel(job.batchId, signal)

      expect((await provider.report(job.batchId, signal)).status).toBe('completed')
    })

    test('fails a job whose input file was deleted before, unpaid', async () => {
      const { end, provider } = await open()
      const key = newKey()
      const { fileId } = await provider.upload(key, each(linesOf(['a', 'b'])), signal)
      await provider.deleteFile(fileId, signal)

      const job: JobReport = await provider.create(key, fileId, signal)
      await end(job.batchId)
      const report = await provider.report(job.batchId, signal)
      expect(report).toMatchObject({ status: 'failed', outputFileId: undefined, errorFileId: undefined })
      expect(report.errors).toHaveLength(1)
      expect(report.errors[0]?.content).toBeUndefined()
      expect(report.paidTokens ?? 0).toBe(0)
    })

    test('makes equal bytes of equal lines, never more than was estimated', async () => {
      const { provider } = await open()
      const texts = ['short', 'ä€𝄞 "quoted"\n', '\u0000\ud800', 'long '.repeat(500)]
      const lines = linesOf(texts)
      const first = await provider.upload(newKey(), each(lines), signal)
      const second = await provider.upload(newKey(), each(lines), signal)

      expect(second.bytes).toBe(first.bytes)
      const estimated = texts.reduce((sum, text) => sum + provider.lineBytes(text), 0)
      expect(first.bytes).toBeLessThanOrEqual(estimated)
    })

    test('refuses a file of more lines than a job takes, and sends nothing', async () => {
      const { provider } = await open()
      const key = newKey()
      const lines = linesOf(Array.from({ length: 50_001 }, () => 'x'))

      expect((await failureOf(provider.upload(key, each(lines), signal))).code).toBe('EMBED_TOO_LARGE')
      expect(await provider.inputFiles(key.namespace, signal)).toEqual([])
    })

    test('throws what its lines throw, and sends nothing', async () => {
      const { provider } = await open()
      const key = newKey()
      const broken = new Error('the log is away')
      async function* lines(): AsyncGenerator<BatchLine> {
        yield* each(linesOf(['a', 'b']))
        throw broken
      }

      await expect(provider.upload(key, lines(), signal)).rejects.toBe(broken)
      expect(await provider.inputFiles(key.namespace, signal)).toEqual([])
    })

    test('says of a job and of a file that the provider does not know that they are gone', async () => {
      const { provider } = await open()
      const unknown = `batch_${randomUUID().replaceAll('-', '')}`
      const files = { outputFileId: 'file-4dAcNXKyRLUnjBCYrY3AuT', errorFileId: undefined }

      expect((await failureOf(provider.report(unknown, signal))).code).toBe('JOB_GONE')
      expect((await failureOf(provider.cancel(unknown, signal))).code).toBe('JOB_GONE')
      expect((await failureOf(provider.results(newKey(), files, signal))).code).toBe('JOB_GONE')
      await expect(provider.deleteFile(files.outputFileId, signal)).resolves.toBeUndefined()
    })

    test('does nothing when it is aborted before', async () => {
      const { provider } = await open()
      const reason = new Error('stopping')
      const aborted = AbortSignal.abort(reason)
      const key = newKey()

      await expect(provider.upload(key, each(linesOf(['a'])), aborted)).rejects.toBe(reason)
      await expect(provider.create(key, 'file-1', aborted)).rejects.toBe(reason)
      await expect(provider.find(key, aborted)).rejects.toBe(reason)
      await expect(provider.report('batch_1', aborted)).rejects.toBe(reason)
      await expect(provider.check(aborted)).rejects.toBe(reason)
      await expect(provider.jobs(key.namespace, aborted)).rejects.toBe(reason)
      await expect(Array.fromAsync(provider.contents('file-1', aborted))).rejects.toBe(reason)
      expect(await provider.inputFiles(key.namespace, signal)).toEqual([])
      expect(await provider.find(key, signal)).toBeUndefined()
    })

    test('passes its checks without paying', async () => {
      const { provider } = await open()
      await expect(provider.check(signal)).resolves.toBeUndefined()
      await expect(provider.checkSpool()).resolves.toBeUndefined()
    })
  })
}

function cosine(a: Uint8Array, b: Uint8Array): number {
  const [left, right] = [a, b].map(bytes => new Float32Array(new Uint8Array(bytes).buffer))
  return left!.reduce((sum, component, index) => sum + component * right![index]!, 0)
}
