import type { Lane } from '@pointsman/core/domain/lane'
import { expect, test, vi } from 'vitest'
import { MemoryBatchLane } from '../../support/memory-batch-lane.ts'
import { aText } from '../../support/memory-lane.ts'

const patience = { timeout: 8_000, interval: 10 }

async function switchTo(world: MemoryBatchLane, lane: Lane): Promise<void> {
  const { epoch, partitions } = await world.ledger.state()
  const lanes = new Map([...partitions.keys()].map(partition => [partition, lane]))
  const change = {
    expectedEpoch: epoch,
    epoch: epoch + 1,
    lanes,
    defaultLane: lane,
    release: 'open' as const
  }
  expect((await world.ledger.switchLanes(change)).kind).toBe('switched')
}

function texts(from: number, to: number): ReturnType<typeof aText>[] {
  return Array.from({ length: to - from }, (_, index) => aText(`d${from + index}`, 1, `text ${from + index}`))
}

function textsById(count: number): Record<string, string[]> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`d${index}`, [`text ${index}`]]))
}

/** Payments of both lanes, by text. */
function repeatedPayments(world: MemoryBatchLane): number {
  const all = [...world.provider.server.payments, ...world.embedder.payments]
  return all.reduce((sum, [, times]) => sum + times, 0) - new Set(all.map(([text]) => text)).size
}

test.concurrent('a job goes on and is harvested when the stream is in the other lane', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  await world.ledger.open('batch')
  world.startBatch('batch')
  world.start('realtime')
  await world.emit(...texts(0, 10))
  await vi.waitFor(() => expect(world.provider.server.jobs).toHaveLength(1), patience)
  await switchTo(world, 'realtime')
  await world.emit(...texts(10, 20))
  await vi.waitFor(() => expect(Object.keys(world.texts())).toHaveLength(10), patience)
  // Same texts as in the job: they wait for it, whatever the lane.
  await world.emit(aText('twin', 1, 'text 3'))
  await vi.waitFor(async () => expect((await world.ledger.survey()).counts.share).toBe(1), patience)
  world.provider.server.finishAll()
  await world.settled()

  expect(world.texts()).toEqual({ ...textsById(20), twin: ['text 3'] })
  expect(repeatedPayments(world)).toBe(0)
})

test.concurrent('a manifest that was not sealed is paid for by the other lane', async () => {
  await using world = new MemoryBatchLane()
  await world.ledger.open('batch')
  world.startBatch('batch', { options: { sealAfterMs: 60_000 } })
  world.start('realtime')
  await world.emit(...texts(0, 15))
  await vi.waitFor(async () => expect((await world.ledger.survey()).counts.embed).toBe(15), patience)
  await switchTo(world, 'realtime')
  await world.settled()

  expect(world.texts()).toEqual(textsById(15))
  expect(world.provider.server.jobs).toEqual([])
  expect(repeatedPayments(world)).toBe(0)
})

test.concurrent('a large manifest that was not sealed is split among requests of the other lane', async () => {
  await using world = new MemoryBatchLane()
  await world.ledger.open('batch')
  world.startBatch('batch', { options: { sealAfterMs: 60_000, maxLines: 5_000 } })
  await world.emit(...texts(0, 700))
  // The same text at both ends goes one way.
  await world.emit(aText('twin', 1, 'text 0'))
  await vi.waitFor(async () => expect((await world.ledger.survey()).counts.share).toBe(1), patience)
  const [manifest] = (await world.ledger.survey()).obligations
  expect((await world.ledger.parts(manifest!.id)).length).toBe(701)
  await switchTo(world, 'realtime')
  world.start('realtime')
  await world.settled()

  expect(world.texts()).toEqual({ ...textsById(700), twin: ['text 0'] })
  expect(world.provider.server.jobs).toEqual([])
  expect(repeatedPayments(world)).toBe(0)
})

test.concurrent('lines that came to nothing are paid for by the lane that is active then', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  world.provider.server.plan({ ending: 'expired', share: 0.3 })
  await world.ledger.open('batch')
  world.startBatch('batch')
  world.start('realtime')
  await world.emit(...texts(0, 10))
  await vi.waitFor(() => expect(world.provider.server.jobs).toHaveLength(1), patience)
  await switchTo(world, 'realtime')
  world.provider.server.finishAll()
  await world.settled()

  expect(world.texts()).toEqual(textsById(10))
  expect(repeatedPayments(world)).toBe(0)
  expect([...world.embedder.payments.values()].reduce((sum, times) => sum + times, 0)).toBe(7)
})

test.concurrent('switching to and fro with work everywhere loses nothing and pays for nothing twice', async () => {
  await using world = new MemoryBatchLane()
  await world.ledger.open('batch')
  world.startBatch('batch')
  world.start('realtime')
  for (let round = 0; round < 8; round += 1) {
    await world.emit(...texts(round * 10, round * 10 + 10))
    await switchTo(world, round % 2 === 0 ? 'realtime' : 'batch')
  }
  await world.settled()

  expect(world.texts()).toEqual(textsById(80))
  expect(repeatedPayments(world)).toBe(0)
})

test.concurrent('two instances share the work, and one takes over what the other left', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  const first = world.startBatch('one')
  world.startBatch('two')
  await world.emit(...texts(0, 40))
  await vi.waitFor(async () => expect((await world.ledger.survey()).counts.embed).toBe(40), patience)
  await vi.waitFor(() => expect(world.provider.server.jobs.length).toBeGreaterThan(1), patience)
  await first.stop()
  const finishing = setInterval(() => world.provider.server.finishAll(), 20)
  await world.settled()
  clearInterval(finishing)

  expect(world.texts()).toEqual(textsById(40))
  expect(repeatedPayments(world)).toBe(0)
  expect(Object.values(world.jobsByManifest).every(jobs => jobs === 1)).toBe(true)
})
