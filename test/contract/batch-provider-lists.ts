// What a BatchProvider must tell whoever has lost something: a job, all jobs, the files. Part of its contract.
import { randomUUID } from 'node:crypto'
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { JobKey } from '@pointsman/core/ports/batch-provider'
import { describe, expect, test } from 'vitest'
import {
  type BatchProviderUnderTest,
  contentsOf,
  each,
  failureOf,
  linesOf,
  newKey,
  submit,
  vectorsOf
} from '../support/contract-jobs.ts'

const { signal } = new AbortController()

export function batchListsContract(adapter: string, open: () => Promise<BatchProviderUnderTest>): void {
  describe(`BatchProvider contract, lists: ${adapter}`, () => {
    test('finds the job of a create call, and of no other call', async () => {
      const { provider } = await open()
      const key = newKey()
      expect(await provider.find(key, signal)).toBeUndefined()
      const { job } = await submit(provider, ['a'], key)
      const again = await submit(provider, ['a'], { ...key, create: 2 })

      const found = async (other: Partial<JobKey>): Promise<string | undefined> =>
        (await provider.find({ ...key, ...other }, signal))?.batchId
      expect(await found({})).toBe(job.batchId)
      expect(await found({ create: 2 })).toBe(again.job.batchId)
      expect(await found({ create: 3 })).toBeUndefined()
      expect(await found({ namespace: `${key.namespace}x` })).toBeUndefined()
      expect(await found({ ledger: randomUUID() })).toBeUndefined()
      expect(await found({ manifest: '1.1.2' as ObligationId })).toBeUndefined()
    })

    test('lists the input files of a namespace, each with its key', async () => {
      const { provider } = await open()
      const [key, other] = [newKey(), newKey()]
      const first = await provider.upload(key, each(linesOf(['a'])), signal)
      const second = await provider.upload(
        { ...key, manifest: '1.1.2' as ObligationId },
        each(linesOf(['b'])),
        signal
      )
      await provider.upload(other, each(linesOf(['c'])), signal)

      const files = await provider.inputFiles(key.namespace, signal)
      const named = (manifest: string) => ({ namespace: key.namespace, ledger: key.ledger, manifest })
      expect(files).toHaveLength(2)
      expect(files).toContainEqual({ fileId: first.fileId, key: named(key.manifest) })
      expect(files).toContainEqual({ fileId: second.fileId, key: named('1.1.2') })
      await provider.deleteFile(first.fileId, signal)
      await provider.deleteFile(first.fileId, signal)
      expect(await provider.inputFiles(key.namespace, signal)).toHaveLength(1)
    })

    test('lists all jobs of a namespace, of whatever ledger and state, the latest first', async () => {
      const { end, provider } = await open()
      const key = newKey()
      expect(await provider.jobs(key.namespace, signal)).toEqual([])
      const done = await submit(provider, ['a', ''], key)
      await end(done.job.batchId)
      const gone = await provider.upload(key, each(linesOf(['b'])), signal)
      await provider.deleteFile(gone.fileId, signal)
      const failed = await provider.create({ ...key, create: 2 }, gone.fileId, signal)
      await end(failed.batchId)
      const cancelled = await submit(provider, ['c'], { ...key, manifest: '1.1.2' as ObligationId })
      await provider.cancel(cancelled.job.batchId, signal)
      await end(cancelled.job.batchId)
      const other = await submit(provider, ['d'], { ...key, ledger: randomUUID(), create: 7 })
      await submit(provider, ['e'])

      const jobs = await provider.jobs(key.namespace, signal)
      const made = [done.job, failed, cancelled.job, other.job].map(({ batchId }) => batchId)
      expect(jobs.map(({ report }) => report.batchId).toSorted()).toEqual(made.toSorted())
      const listed = new Map(jobs.map(job => [job.report.batchId, job]))
      expect(listed.get(done.job.batchId)).toEqual({
        key,
        report: await provider.report(done.job.batchId, signal)
      })
      expect(listed.get(failed.batchId)).toMatchObject({
        key: { ...key, create: 2 },
        report: { status: 'failed', inputFileId: gone.fileId, errors: [{ content: undefined }] }
      })
      expect(['cancelled', 'completed']).toContain(listed.get(cancelled.job.batchId)?.report.status)
      expect(listed.get(other.job.batchId)?.key).toEqual(other.key)
    })

    test('lists more jobs than a page of the provider holds, each once', async () => {
      const { provider } = await open()
      const key = newKey()
      const { fileId } = await provider.upload(key, each(linesOf(['a'])), signal)
      const made: string[] = []
      for (let create = 1; create <= 230; create += 1) {
        const of = create % 10 === 0 ? newKey() : key
        const { batchId } = await provider.create({ ...of, create }, fileId, signal)
        if (of === key) made.push(batchId)
      }

      const jobs = await provider.jobs(key.namespace, signal)
      expect(jobs.map(({ report }) => report.batchId).toSorted()).toEqual(made.toSorted())
      expect(new Set(jobs.map(({ key: { create } }) => create)).size).toBe(207)
    })

    test('tells what an input file is about, in its order', async () => {
      const { end, provider } = await open()
      const texts = Array.from({ length: 2_000 }, (_, index) => 'ä€𝄞 "quoted"\n '.repeat(index % 40))
      const { fileId, job, key, lines } = await submit(provider, texts)

      const told = await contentsOf(provider, fileId)
      expect(told.flat()).toEqual(lines.map(({ content }) => content))
      expect(Math.max(...told.map(({ length }) => length))).toBeLessThanOrEqual(1_000)
      await end(job.batchId)
      expect((await contentsOf(provider, fileId)).flat()).toHaveLength(2_000)
      await provider.deleteFile(fileId, signal)
      expect((await failureOf(contentsOf(provider, fileId))).code).toBe('JOB_GONE')
      expect((await provider.jobs(key.namespace, signal))[0]?.report.inputFileId).toBe(fileId)
    })

    test('gives the results of a job to whoever asks, under whatever name', async () => {
      const { end, provider } = await open()
      const { job, key, lines } = await submit(provider, ['a', 'b'])
      await end(job.batchId)
      const [listed] = await provider.jobs(key.namespace, signal)

      await using results = await provider.results(newKey(), listed!.report, signal)
      expect(await vectorsOf(results, lines)).toHaveLength(2)
    })
  })
}
