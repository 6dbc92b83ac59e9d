import { type CallFault, MemoryBatchProvider } from '@pointsman/core/adapters/memory/batch-provider'
import { MemoryEmbedder } from '@pointsman/core/adapters/memory/embedder'
import { Failure } from '@pointsman/core/domain/failure'
import type { Digest, ObligationId } from '@pointsman/core/domain/identity'
import type { BatchLine, JobReport, LineOutcome } from '@pointsman/core/ports/batch-provider'
import { expect, test } from 'vitest'
import { batchProviderContract } from '../contract/batch-provider.ts'
import { ManualClock } from '../support/manual-clock.ts'

batchProviderContract('memory', () => {
  const provider = new MemoryBatchProvider()
  return Promise.resolve({
    provider,
    end: async () => {
      await Promise.resolve()
      provider.server.finishAll()
    }
  })
})

const { signal } = new AbortController()
const key = { namespace: 'n', ledger: 'l', manifest: '1.1.1' as ObligationId, create: 1 }

const lineOf = (index: number): BatchLine => ({
  content: `${index}`.padStart(24, '0') as Digest,
  partition: 0,
  offset: BigInt(index),
  text: `text ${index}`
})

async function upload(provider: MemoryBatchProvider, count: number): Promise<string> {
  async function* lines(): AsyncGenerator<BatchLine> {
    await Promise.resolve()
    yield* Array.from({ length: count }, (_, index) => lineOf(index))
  }
  return (await provider.upload(key, lines(), signal)).fileId
}

async function submit(provider: MemoryBatchProvider, count: number): Promise<JobReport> {
  return await provider.create(key, await upload(provider, count), signal)
}

/** What became of the lines of a job, in their order. */
async function outcomesOf(
  provider: MemoryBatchProvider,
  batchId: string,
  count: number
): Promise<readonly (LineOutcome | undefined)[]> {
  const report = await provider.report(batchId, signal)
  await using results = await provider.results(key, report, signal)
  const contents = Array.from({ length: count }, (_, index) => lineOf(index).content)
  const outcomes = await results.read(contents)
  return contents.map(content => outcomes.get(content))
}

test('answers the vectors of the memory embedder', async () => {
  const provider = new MemoryBatchProvider()
  const { batchId } = await submit(provider, 2)
  provider.server.finishAll()
  const { vectors } = await new MemoryEmbedder().embed(['text 0', 'text 1'], signal)

  expect(await outcomesOf(provider, batchId, 2)).toEqual(
    vectors.map(vector => ({ kind: 'vector', vector, paidTokens: 2 }))
  )
})

test('a job goes only as far as it is told, and pays at its end', async () => {
  const provider = new MemoryBatchProvider()
  const { batchId } = await submit(provider, 3)
  for (const status of ['validating', 'in_progress', 'finalizing'] as const) {
    provider.server.advance(key.manifest, status)
    expect((await provider.report(batchId, signal)).status).toBe(status)
    expect(provider.server.paidTokens).toBe(0)
  }
  provider.server.advance(batchId, 'completed')
  provider.server.advance(batchId, 'in_progress')

  expect(await provider.report(batchId, signal)).toMatchObject({ status: 'completed', paidTokens: 6 })
  expect([...provider.server.payments.values()]).toEqual([1, 1, 1])
  expect(provider.server.paidContents.get(lineOf(2).content)).toBe(1)
})

test('a job ends with the report that was agreed upon', async () => {
  const provider = new MemoryBatchProvider({ pace: { kind: 'reports', count: 3 } })
  const { batchId } = await submit(provider, 1)
  const words = []
  for (let asked = 0; asked < 4; asked += 1) words.push((await provider.report(batchId, signal)).word)

  expect(words).toEqual(['in_progress', 'in_progress', 'completed', 'completed'])
})

test('a job ends when its time has come', async () => {
  const clock = new ManualClock()
  const provider = new MemoryBatchProvider({ pace: { kind: 'clock', clock, turnaroundMs: 1_000 } })
  const { batchId } = await submit(provider, 1)
  const words = []
  for (const ms of [0, 500, 450, 50]) {
    await clock.advance(ms)
    words.push((await provider.report(batchId, signal)).word)
  }

  expect(words).toEqual(['validating', 'in_progress', 'finalizing', 'completed'])
})

test('an expired job has run a share of its lines', async () => {
  const provider = new MemoryBatchProvider()
  provider.server.plan({ ending: 'expired', share: 0.75 })
  const { batchId } = await submit(provider, 4)
  provider.server.finishAll()

  expect((await provider.report(batchId, signal)).status).toBe('expired')
  const kinds = (await outcomesOf(provider, batchId, 4)).map(outcome => outcome?.kind)
  expect(kinds).toEqual(['vector', 'vector', 'vector', 'failed'])
  expect(provider.server.payments.size).toBe(3)
})

test('a job that is cancelled before it ran pays nothing, half-way it pays its share', async () => {
  const provider = new MemoryBatchProvider()
  provider.server.plan({}, { share: 0.5, unrun: 'missing' })
  const early = await submit(provider, 2)
  await provider.cancel(early.batchId, signal)
  provider.server.advance(early.batchId, 'cancelled')
  expect(provider.server.paidTokens).toBe(0)
  expect((await outcomesOf(provider, early.batchId, 2)).map(outcome => outcome?.kind)).toEqual([
    'failed',
    'failed'
  ])

  const late = await submit(provider, 2)
  provider.server.advance(late.batchId, 'in_progress')
  await provider.cancel(late.batchId, signal)
  provider.server.advance(late.batchId, 'cancelled')
  expect((await outcomesOf(provider, late.batchId, 2)).map(outcome => outcome?.kind)).toEqual([
    'vector',
    undefined
  ])
})

test('lines go wrong as planned, and the bill knows which were paid', async () => {
  const faults = [
    'failed',
    'rejected',
    'missing',
    'lost',
    'repeated',
    'empty',
    'wrong-length',
    'not-finite',
    'zero'
  ] as const
  const provider = new MemoryBatchProvider()
  provider.server.plan({
    line: (_, index) => faults[index],
    strangers: 2
  })
  const { batchId } = await submit(provider, faults.length)
  provider.server.finishAll()

  const outcomes = await outcomesOf(provider, batchId, faults.length)
  expect(outcomes.map(outcome => outcome?.kind)).toEqual([
    'failed',
    'rejected',
    undefined,
    undefined,
    'vector',
    'rejected',
    'rejected',
    'rejected',
    'rejected'
  ])
  expect([...provider.server.payments.keys()]).toEqual([3, 4, 5, 6, 7, 8].map(index => `text ${index}`))
  await using results = await provider.results(key, await provider.report(batchId, signal), signal)
  expect(results).toMatchObject({ lines: 10, strangers: 2, repeats: 1 })
})

test('texts that are marked are rejected, or fail the job and are named', async () => {
  const provider = new MemoryBatchProvider()
  provider.server.poison('text 1')
  const first = await submit(provider, 2)
  provider.server.finishAll()
  expect((await outcomesOf(provider, first.batchId, 2)).map(outcome => outcome?.kind)).toEqual([
    'vector',
    'rejected'
  ])

  provider.server.invalidate('text 2')
  const second = await submit(provider, 3)
  provider.server.finishAll()
  const report = await provider.report(second.batchId, signal)
  expect(report).toMatchObject({ status: 'failed', errors: [{ content: lineOf(2).content }], paidTokens: 0 })
})

test('a job beyond the queue fails, and succeeds when there is room', async () => {
  const provider = new MemoryBatchProvider({ maxEnqueuedTokens: 5 })
  const first = await submit(provider, 2)
  provider.server.advance(first.batchId, 'in_progress')
  const second = await submit(provider, 1)
  provider.server.advance(second.batchId, 'in_progress')
  expect(await provider.report(second.batchId, signal)).toMatchObject({
    status: 'failed',
    errors: [{ code: 'token_limit_exceeded', content: undefined }]
  })

  provider.server.finishAll()
  const third = await submit(provider, 1)
  provider.server.advance(third.batchId, 'in_progress')
  expect((await provider.report(third.batchId, signal)).status).toBe('in_progress')
})

test('a create whose answer is lost was carried out before, never, or later', async () => {
  const lost = (carriedOut: 'before' | 'never' | 'late'): CallFault => ({ kind: 'lost', carriedOut })
  const provider = new MemoryBatchProvider()
  const fileId = await upload(provider, 1)
  provider.fail('create', lost('before'), lost('never'), lost('late'))
  for (let create = 1; create <= 3; create += 1) {
    await expect(provider.create({ ...key, create }, fileId, signal)).rejects.toMatchObject({
      code: 'EMBED_OUTCOME_UNKNOWN'
    })
  }
  const made = async (create: number): Promise<boolean> =>
    (await provider.find({ ...key, create }, signal)) !== undefined
  expect([await made(1), await made(2), await made(3)]).toEqual([true, false, false])

  await provider.deleteFile(fileId, signal)
  provider.arrive()
  expect(await made(3)).toBe(true)
  provider.server.advance(key.manifest, 'in_progress')
  expect(provider.server.jobs.at(-1)?.status).toBe('failed')
})

test('a list that lags does not show the job', async () => {
  const provider = new MemoryBatchProvider()
  await submit(provider, 1)
  provider.fail('find', { kind: 'blind' })
  expect(await provider.find(key, signal)).toBeUndefined()
  expect(await provider.find(key, signal)).toBeDefined()
})

test('an outage fails every call until it is over, and a full disk only the check of the disk', async () => {
  const provider = new MemoryBatchProvider()
  const away = new Failure('EMBED_UNAVAILABLE', 'away')
  const full = new Failure('SPOOL_UNAVAILABLE', 'no space left')
  provider.outage(away)
  provider.fail('checkSpool', { kind: 'refused', failure: full })
  await expect(provider.check(signal)).rejects.toBe(away)
  await expect(submit(provider, 1)).rejects.toBe(away)
  await expect(provider.checkSpool()).rejects.toBe(full)

  provider.outage(undefined)
  await expect(provider.check(signal)).resolves.toBeUndefined()
  expect(provider.calls('check')).toBe(2)
})

test('reports may show an unknown word, and name the files late', async () => {
  const provider = new MemoryBatchProvider()
  provider.server.plan({ word: 'pondering', lateFiles: 1 })
  const { batchId } = await submit(provider, 1)
  provider.server.advance(batchId, 'in_progress')
  expect(await provider.report(batchId, signal)).toMatchObject({ status: 'unknown', word: 'pondering' })

  provider.server.finishAll()
  expect((await provider.report(batchId, signal)).outputFileId).toBeUndefined()
  expect((await provider.report(batchId, signal)).outputFileId).toBeDefined()
})

test('a job that the provider forgot is gone', async () => {
  const provider = new MemoryBatchProvider()
  const { batchId } = await submit(provider, 1)
  provider.server.forget(batchId)

  await expect(provider.report(batchId, signal)).rejects.toMatchObject({ code: 'JOB_GONE' })
  expect(await provider.find(key, signal)).toBeUndefined()
})

test('a list shows how far jobs have come, and is no report', async () => {
  const clock = new ManualClock()
  const timed = new MemoryBatchProvider({ pace: { kind: 'clock', clock, turnaroundMs: 1_000 } })
  await submit(timed, 1)
  await clock.advance(1_000)
  expect(await timed.jobs('n', signal)).toMatchObject([{ key, report: { status: 'completed' } }])

  const counted = new MemoryBatchProvider({ pace: { kind: 'reports', count: 2 } })
  const { batchId } = await submit(counted, 1)
  for (let looks = 0; looks < 5; looks += 1) {
    expect(await counted.jobs('n', signal)).toMatchObject([{ report: { status: 'validating' } }])
  }
  expect((await counted.report(batchId, signal)).status).toBe('in_progress')
})

test('an input file that breaks off does not end as if it were whole', async () => {
  const provider = new MemoryBatchProvider()
  const fileId = await upload(provider, 1_500)
  provider.fail('contents', { kind: 'cut' })
  const told: Digest[] = []
  const reading = async (): Promise<void> => {
    for await (const contents of provider.contents(fileId, signal)) told.push(...contents)
  }

  await expect(reading()).rejects.toMatchObject({ code: 'EMBED_UNAVAILABLE' })
  expect(told).toHaveLength(750)
  await reading()
  expect(told).toHaveLength(2_250)
})
