import { Failure } from '@pointsman/core/domain/failure'
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Ledger } from '@pointsman/core/ports/ledger'
import { systemClock } from '@pointsman/core/runtime/clock'
import { expect, test, vi } from 'vitest'
import { MemoryBatchLane } from '../../support/memory-batch-lane.ts'
import { aText } from '../../support/memory-lane.ts'

const patience = { timeout: 8_000, interval: 10 }
const never = new AbortController().signal

function texts(count: number): ReturnType<typeof aText>[] {
  return Array.from({ length: count }, (_, index) => aText(`d${index}`, 1, `text ${index}`))
}

function textsById(count: number): Record<string, string[]> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`d${index}`, [`text ${index}`]]))
}

async function theJob(world: MemoryBatchLane): Promise<string> {
  await vi.waitFor(async () => {
    const { obligations } = await world.ledger.survey()
    expect(obligations.some(({ job }) => job !== undefined && job.batchId !== '')).toBe(true)
  }, patience)
  return world.provider.server.jobs[0]!.batchId
}

test.concurrent.each(['before', 'never', 'late'] as const)(
  'a create call without an answer, carried out %s, makes one job that runs',
  async carriedOut => {
    await using world = new MemoryBatchLane()
    world.provider.fail('create', { kind: 'lost', carriedOut })
    world.startBatch('one')
    await world.emit(...texts(5))
    await world.settled()
    world.provider.arrive()
    world.provider.server.finishAll()

    expect(world.texts()).toEqual(textsById(5))
    expect(world.repeatedPayments).toBe(0)
    expect(Object.values(world.jobsByManifest)).toEqual([1])
    expect(world.provider.calls('create')).toBe(carriedOut === 'before' ? 1 : 2)
  }
)

test.concurrent('a job that the list shows late is not made a second time', async () => {
  await using world = new MemoryBatchLane()
  world.provider.fail('create', { kind: 'lost', carriedOut: 'before' })
  world.provider.fail('find', { kind: 'blind' })
  world.startBatch('one')
  await world.emit(...texts(5))
  await world.settled()

  expect(world.repeatedPayments).toBe(0)
  expect(Object.values(world.jobsByManifest)).toEqual([1])
})

test.concurrent.each([
  ['refused', new Failure('EMBED_UNAVAILABLE', 'connection refused')],
  ['limited', new Failure('EMBED_RATE_LIMITED', 'too many', { retryAfterMs: 20 })],
  ['refused for its file', new Failure('JOB_GONE', 'no such file')]
] as const)('a create call that was %s is made again', async (_, failure) => {
  await using world = new MemoryBatchLane()
  world.provider.fail('create', { kind: 'refused', failure })
  world.startBatch('one', { options: { maxFailures: 2 } })
  await world.emit(...texts(5))
  await vi.waitFor(() => expect(world.provider.calls('create')).toBe(2), patience)
  await world.settled()

  expect(world.texts()).toEqual(textsById(5))
  expect(world.repeatedPayments).toBe(0)
  expect(world.provider.server.jobs).toHaveLength(1)
})

test.concurrent('how long a manifest rests is told in the time of the ledger, not by the clock of whoever refrained', async () => {
  await using world = new MemoryBatchLane()
  const failure = new Failure('EMBED_RATE_LIMITED', 'too many', { retryAfterMs: 1_000 })
  world.provider.fail('create', { kind: 'refused', failure })
  const hourAhead = { ...systemClock, nowMs: () => systemClock.nowMs() + 3_600_000 }
  const one = world.startBatch('one', { clock: hourAhead })
  await world.emit(...texts(5))
  await vi.waitFor(async () => {
    const { obligations } = await world.ledger.survey()
    expect(obligations.some(({ job }) => job !== undefined && job.notBeforeMs > 0)).toBe(true)
  }, patience)
  await one.stop()
  world.startBatch('two')
  await world.settled()

  expect(world.texts()).toEqual(textsById(5))
  expect(world.provider.server.jobs).toHaveLength(1)
})

test.concurrent('a line that fails validation is given up, the others are paid for once', async () => {
  await using world = new MemoryBatchLane()
  world.provider.server.invalidate('text 2')
  world.startBatch('one')
  await world.emit(...texts(8))
  await world.settled()

  const { d2, ...others } = textsById(8)
  expect(d2).toEqual(['text 2'])
  expect(world.texts()).toEqual(others)
  expect(world.repeatedPayments).toBe(0)
  const letters = await world.deadLetters.list(10, never)
  expect(letters.map(({ key }) => key)).toEqual(['d2'])
})

test.concurrent('a job of which most lines are named is sent again, but not for ever', async () => {
  await using world = new MemoryBatchLane()
  world.provider.server.invalidate('text 0')
  world.startBatch('one', { options: { maxFailures: 2, minLines: 1 } })
  await world.emit(...texts(1))
  await world.settled()

  expect(world.texts()).toEqual({})
  expect(world.provider.server.jobs.map(({ status }) => status)).toEqual(['failed', 'failed'])
  expect(await world.deadLetters.list(10, never)).toMatchObject([{ key: 'd0' }])
})

test.concurrent('a job that is cancelled by order keeps what it has; the rest goes into another one and counts no failure', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  world.startBatch('one', { options: { maxFailures: 1 } })
  await world.emit(...texts(10))
  const batchId = await theJob(world)
  world.provider.server.advance(batchId, 'in_progress')
  const [manifest] = (await world.ledger.survey()).obligations
  expect(await world.ledger.order(manifest!.id, 'cancel')).toBe(true)
  await vi.waitFor(() => expect(world.provider.server.jobs[0]?.status).toBe('cancelling'), patience)
  world.provider.server.finishAll()
  await vi.waitFor(() => expect(world.provider.server.jobs).toHaveLength(2), patience)
  expect(Object.keys(world.texts())).toHaveLength(5)
  world.provider.server.finishAll()
  await world.settled()

  expect(world.texts()).toEqual(textsById(10))
  expect(world.repeatedPayments).toBe(0)
  expect((await world.ledger.pastJobs(10)).map(({ order }) => order)).toContain('cancel')
})

test.concurrent('a job that does not end by its deadline is cancelled', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  world.startBatch('one', { options: { deadlineMs: 100 } })
  await world.emit(...texts(4))
  await theJob(world)
  await vi.waitFor(() => expect(world.provider.server.jobs[0]?.status).toBe('cancelling'), patience)
  world.provider.server.finishAll()
  await vi.waitFor(() => expect(world.provider.server.jobs).toHaveLength(2), patience)
  world.provider.server.advance(world.provider.server.jobs[1]!.batchId, 'completed')
  await world.settled()

  expect(world.texts()).toEqual(textsById(4))
  expect(world.repeatedPayments).toBe(0)
})

test.concurrent('a job that the provider forgot waits for an operator, who abandons it', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  const { warnings } = world.startBatch('one')
  await world.emit(...texts(4))
  const batchId = await theJob(world)
  world.provider.server.forget(batchId)
  await vi.waitFor(() => expect(warnings.join()).toMatch(/does not know job/), patience)
  const [manifest] = (await world.ledger.survey()).obligations
  expect(manifest?.state).toBe('submitted')
  await world.ledger.order(manifest!.id, 'abandon')
  await vi.waitFor(() => expect(world.provider.server.jobs).toHaveLength(1), patience)
  await vi.waitFor(() => {
    world.provider.server.finishAll()
    expect(world.texts()).toEqual(textsById(4))
  }, patience)
})

test.concurrent('an open manifest of an instance that stopped is carried on by the next', async () => {
  await using world = new MemoryBatchLane()
  const first = world.startBatch('one', { options: { sealAfterMs: 60_000 } })
  await world.emit(...texts(4))
  await vi.waitFor(async () => expect((await world.ledger.survey()).counts.embed).toBe(4), patience)
  await first.stop()
  world.startBatch('two', { options: { sealAfterMs: 60_000 } })
  await world.settled()

  expect(world.texts()).toEqual(textsById(4))
  expect(world.repeatedPayments).toBe(0)
})

test.concurrent('a manifest of ours that we do not know of is found and carried on', async () => {
  await using world = new MemoryBatchLane()
  const { ledger } = world
  const stray = '9.9.9' as ObligationId
  const admit: Ledger['admit'] = async admission => ledger.admit({ ...admission, manifest: stray })
  world.startBatch('one', {
    ledger: new Proxy<Ledger>(ledger, {
      get: (target, name) => {
        const value: unknown = name === 'admit' ? admit : Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      }
    })
  })
  await world.emit(...texts(4))
  await world.settled()

  expect(world.texts()).toEqual(textsById(4))
  expect(world.repeatedPayments).toBe(0)
  expect((await world.ledger.pastJobs(1)).map(({ manifest }) => manifest)).toEqual([stray])
})

test.concurrent('a full disk stops admission and not the process; nothing is lost', async () => {
  await using world = new MemoryBatchLane()
  const full = {
    kind: 'refused',
    failure: new Failure('SPOOL_UNAVAILABLE', 'no space left on device')
  } as const
  const running = world.startBatch('one')
  await vi.waitFor(() => expect(running.lane.readiness().ready).toBe(true), patience)
  world.provider.fail('upload', full)
  world.provider.fail('checkSpool', full, full)
  await world.emit(...texts(4))
  await vi.waitFor(() => {
    expect(running.lane.readiness()).toEqual({ ready: false, reasons: ['spool: no space left on device'] })
  }, patience)
  await world.emit(aText('later', 1, 'admitted later'))
  await world.settled()

  expect(world.texts()).toEqual({ ...textsById(4), later: ['admitted later'] })
  expect(world.repeatedPayments).toBe(0)
})

test.concurrent('while the provider is away nothing is admitted, and everything is when it is back', async () => {
  await using world = new MemoryBatchLane()
  world.startBatch('one')
  await world.emit(...texts(3))
  await world.settled()
  world.provider.outage(new Failure('EMBED_UNAVAILABLE', 'away'))
  await world.emit(aText('later', 1, 'admitted later'))
  await vi.waitFor(() => expect(world.provider.calls('check')).toBeGreaterThan(1), patience)
  world.provider.outage(undefined)
  await world.settled()

  expect(world.texts()).toEqual({ ...textsById(3), later: ['admitted later'] })
  expect(world.repeatedPayments).toBe(0)
})
