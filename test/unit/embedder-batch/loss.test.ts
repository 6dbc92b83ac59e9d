import { systemClock } from '@pointsman/core/runtime/clock'
import { expect, test, vi } from 'vitest'
import { batchFailpoints } from '../../support/batch-failpoints.ts'
import { MemoryBatchLane } from '../../support/memory-batch-lane.ts'
import { loseLedgerAt, startKeeper } from '../../support/memory-keeper.ts'
import { aText, aTombstone } from '../../support/memory-lane.ts'

const patience = { timeout: 8_000, interval: 10 }

const documents = [
  ...Array.from({ length: 40 }, (_, index) => aText(`d${index}`, 1, `text ${index}`)),
  aText('twin', 1, 'text 3'),
  aText('old', 1, 'first'),
  aText('old', 2, 'second'),
  aText('gone', 1, 'gone soon'),
  aTombstone('gone', 2)
]
const indexed = {
  ...Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`d${index}`, [`text ${index}`]])),
  twin: ['text 3'],
  old: ['second']
}

test.concurrent.each(batchFailpoints)(
  'an instance whose ledger is lost at %s goes on in the rebuilt one, with the jobs that are there: nothing is paid for twice',
  async failpoint => {
    await using world = new MemoryBatchLane()
    await using _keeper = await startKeeper(world, 'batch', world.provider)
    const loss = loseLedgerAt(world, failpoint)
    const { lane } = world.startBatch('one', { hit: loss.hit })
    await world.emit(...documents)
    await vi.waitFor(() => expect(loss.happened()).toBe(true), patience)
    await world.settled()

    expect(world.texts()).toEqual(indexed)
    expect(world.repeatedPayments).toBe(0)
    await vi.waitFor(async () => expect((await world.ledger.survey()).obligations).toEqual([]), patience)
    expect(world.provider.server.results.size).toBe(0)
    await vi.waitFor(() => expect(lane.readiness()).toEqual({ ready: true, reasons: [] }), patience)
  }
)

test.concurrent('a create call that was on its way when the ledger was lost makes nothing that is paid for', async () => {
  await using world = new MemoryBatchLane()
  await using _keeper = await startKeeper(world, 'batch', world.provider)
  const { provider } = world
  provider.fail('create', { kind: 'lost', carriedOut: 'late' })
  const loss = loseLedgerAt(world, 'ba.create')
  world.startBatch('one', { hit: loss.hit })
  await world.emit(...documents)
  await vi.waitFor(() => expect(provider.calls('create')).toBe(1), patience)
  await vi.waitFor(async () => expect((await world.ledger.state()).epoch).toBe(2), patience)
  provider.arrive()
  await world.settled()
  provider.server.finishAll()

  expect(world.texts()).toEqual(indexed)
  expect(world.repeatedPayments).toBe(0)
  expect(provider.server.jobs.some(({ status }) => status === 'failed')).toBe(true)
})

test.concurrent('an upload that arrives when the ledger is rebuilt already is swept', async () => {
  await using world = new MemoryBatchLane()
  await using _keeper = await startKeeper(world, 'batch', world.provider)
  const { provider } = world
  provider.fail('upload', { kind: 'lost', carriedOut: 'late' })
  const loss = loseLedgerAt(world, 'ba.file')
  // As often as the tests are patient.
  const sleep = async (ms: number, signal: AbortSignal): Promise<void> =>
    systemClock.sleep(Math.min(ms, 1_000), signal)
  world.startBatch('one', { clock: { ...systemClock, sleep }, hit: loss.hit })
  await world.emit(...documents)
  await vi.waitFor(() => expect(loss.happened()).toBe(true), patience)
  await world.settled()
  await vi.waitFor(async () => expect((await world.ledger.survey()).obligations).toEqual([]), patience)
  expect(provider.server.inputs.size).toBe(0)
  provider.arrive()
  expect(provider.server.inputs.size).toBe(1)
  await vi.waitFor(() => expect(provider.server.inputs.size).toBe(0), patience)

  expect(world.texts()).toEqual(indexed)
  expect(world.repeatedPayments).toBe(0)
})

test.concurrent('a job that nothing waits for any more is polled to its end, archived, and its files are deleted', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  await using _keeper = await startKeeper(world, 'batch', world.provider)
  const { provider } = world
  world.startBatch('one')
  await world.emit(aText('a', 1, 'first'), aText('b', 1, 'second'))
  await vi.waitFor(() => expect(provider.server.jobs).toHaveLength(1), patience)
  await world.emit(aText('a', 2, 'newer'), aTombstone('b', 2))
  await vi.waitFor(() => expect(provider.server.jobs).toHaveLength(2), patience)
  world.ledgerServer.lose()
  await vi.waitFor(async () => expect((await world.ledger.state()).epoch).toBe(2), patience)
  const { obligations } = await world.ledger.survey()
  expect(obligations.map(({ job, parts, state }) => [state, job?.lines, parts.size])).toEqual([
    ['submitted', 1, 1],
    ['submitted', 2, 0]
  ])
  provider.server.finishAll()
  await world.settled()
  await vi.waitFor(async () => expect((await world.ledger.survey()).obligations).toEqual([]), patience)

  expect(world.texts()).toEqual({ a: ['newer'] })
  expect(provider.server.jobs).toHaveLength(2)
  expect([...provider.server.results, ...provider.server.inputs]).toEqual([])
  expect(await world.ledger.pastJobs(3)).toHaveLength(2)
})

test.concurrent('a text of a running job that is wanted only after the rebuild waits for that job', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  await using _keeper = await startKeeper(world, 'batch', world.provider)
  const { provider } = world
  world.startBatch('one')
  await world.emit(aText('a', 1, 'first'), aText('b', 1, 'second'))
  await vi.waitFor(() => expect(provider.server.jobs).toHaveLength(1), patience)
  await world.emit(aTombstone('a', 2), aTombstone('b', 2))
  world.ledgerServer.lose()
  await vi.waitFor(async () => expect((await world.ledger.state()).epoch).toBe(2), patience)
  await world.emit(aText('c', 1, 'first'), aText('a', 3, 'first'), aText('d', 1, 'third'))
  await vi.waitFor(async () => {
    const { obligations } = await world.ledger.survey()
    const waiting = obligations.flatMap(({ job, parts }) =>
      job === undefined ? [] : [[job.lines, [...parts.values()].reduce((sum, more) => sum + more, 0)]]
    )
    expect(waiting).toEqual([
      [2, 2],
      [1, 1]
    ])
    expect(provider.server.jobs).toHaveLength(2)
  }, patience)
  provider.server.finishAll()
  await world.settled()
  await vi.waitFor(async () => expect((await world.ledger.survey()).obligations).toEqual([]), patience)

  expect(world.texts()).toEqual({ a: ['first'], c: ['first'], d: ['third'] })
  expect(world.repeatedPayments).toBe(0)
  expect([...provider.server.results, ...provider.server.inputs]).toEqual([])
})

test.concurrent('lines of an adopted job that came to nothing are tried again as those of any other', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  await using _keeper = await startKeeper(world, 'batch', world.provider)
  const { provider } = world
  provider.server.plan({ ending: 'expired', share: 0.5, unrun: 'missing' })
  world.startBatch('one')
  await world.emit(...documents.slice(0, 10))
  await vi.waitFor(() => expect(provider.server.jobs).toHaveLength(1), patience)
  world.ledgerServer.lose()
  await vi.waitFor(async () => expect((await world.ledger.state()).epoch).toBe(2), patience)
  provider.server.finishAll()
  await vi.waitFor(() => expect(provider.server.jobs).toHaveLength(2), patience)
  provider.server.finishAll()
  await world.settled()

  expect(Object.keys(world.texts())).toHaveLength(10)
  expect(world.repeatedPayments).toBe(0)
})

test.concurrent('a loss between the deletions of a job’s files leaves none of them', async () => {
  await using world = new MemoryBatchLane()
  await using _keeper = await startKeeper(world, 'batch', world.provider)
  const { provider } = world
  const deleteFile = provider.deleteFile.bind(provider)
  vi.spyOn(provider, 'deleteFile').mockImplementationOnce(async (fileId, signal) => {
    await deleteFile(fileId, signal)
    world.ledgerServer.lose()
    await new Promise((_resolve, reject) => signal.addEventListener('abort', reject, { once: true }))
  })
  world.startBatch('one')
  await world.emit(...documents.slice(0, 10))
  await vi.waitFor(async () => expect((await world.ledger.state()).epoch).toBe(2), patience)
  await world.settled()
  await vi.waitFor(async () => expect((await world.ledger.survey()).obligations).toEqual([]), patience)

  expect([...provider.server.results, ...provider.server.inputs]).toEqual([])
  expect(world.repeatedPayments).toBe(0)
})
