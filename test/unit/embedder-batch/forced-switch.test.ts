// A forced switch, and one that drains, with manifests in every state, on memory adapters of both lanes.
import type { Lane } from '@pointsman/core/domain/lane'
import type { LaneSwitch, ManifestState } from '@pointsman/core/ports/ledger'
import { expect, test, vi } from 'vitest'
import { MemoryBatchLane } from '../../support/memory-batch-lane.ts'
import { aText } from '../../support/memory-lane.ts'

const patience = { timeout: 8_000, interval: 10 }

function texts(count: number): ReturnType<typeof aText>[] {
  return Array.from({ length: count }, (_, index) => aText(`d${index}`, 1, `text ${index}`))
}

function textsById(count: number): Record<string, string[]> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`d${index}`, [`text ${index}`]]))
}

async function changeTo(world: MemoryBatchLane, lane: Lane): Promise<LaneSwitch> {
  const { epoch, partitions } = await world.ledger.state()
  const lanes = new Map([...partitions.keys()].map(partition => [partition, lane]))
  return { expectedEpoch: epoch, epoch: epoch + 1, lanes, defaultLane: lane, release: 'unsent' }
}

async function untilStates(world: MemoryBatchLane, wanted: readonly ManifestState[]): Promise<void> {
  await vi.waitFor(async () => {
    const { obligations } = await world.ledger.survey()
    expect(obligations.map(({ state }) => state).toSorted()).toEqual([...wanted].toSorted())
  }, patience)
}

/** Payments of both lanes beyond the first of each text. */
function repeatedPayments(world: MemoryBatchLane): number {
  const all = [...world.provider.server.payments, ...world.embedder.payments]
  return all.reduce((sum, [, times]) => sum + times, 0) - new Set(all.map(([text]) => text)).size
}

function realtimePayments(world: MemoryBatchLane): number {
  return [...world.embedder.payments.values()].reduce((sum, times) => sum + times, 0)
}

test.concurrent('what a cancelled job has done is kept, and the rest is paid for by the other lane', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  world.provider.server.plan({ share: 0.3 })
  await world.ledger.open('batch')
  world.startBatch('batch')
  world.start('realtime')
  await world.emit(...texts(10))
  await untilStates(world, ['submitted'])
  const [job] = world.provider.server.jobs
  world.provider.server.advance(job?.batchId ?? '', 'in_progress')

  const cut = await world.ledger.switchLanes(await changeTo(world, 'realtime'))
  expect(cut).toMatchObject({ kind: 'switched', handoff: { released: 0, cancelled: 1 } })
  await vi.waitFor(() => expect(job?.status).toBe('cancelling'), patience)
  world.provider.server.finishAll()
  await world.settled()

  expect(job?.status).toBe('cancelled')
  expect(world.texts()).toEqual(textsById(10))
  expect(repeatedPayments(world)).toBe(0)
  expect(realtimePayments(world)).toBe(7)
})

test.concurrent('what was uploaded and waits for its turn is paid for by the other lane', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  await world.ledger.open('batch')
  world.startBatch('batch', { options: { maxJobs: 1, maxLines: 4, sealAfterMs: 10 } })
  world.start('realtime')
  await world.emit(...texts(4))
  await untilStates(world, ['submitted'])
  await world.emit(...texts(8).slice(4))
  await untilStates(world, ['submitted', 'uploaded'])

  const cut = await world.ledger.switchLanes(await changeTo(world, 'realtime'))
  expect(cut).toMatchObject({ handoff: { released: 4, cancelled: 1 } })
  await vi.waitFor(() => expect(realtimePayments(world)).toBe(4), patience)
  world.provider.server.finishAll()
  await world.settled()

  expect(world.texts()).toEqual(textsById(8))
  expect(world.provider.server.jobs).toHaveLength(1)
  expect(repeatedPayments(world)).toBe(0)
})

test.concurrent('a switch that drains lets a job end, admits nothing meanwhile, and sends nothing new', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  await world.ledger.open('batch')
  world.startBatch('batch', { options: { sealAfterMs: 150 } })
  world.start('realtime')
  await world.emit(...texts(5))
  await untilStates(world, ['submitted'])
  await world.emit(...texts(8).slice(5))
  await untilStates(world, ['submitted', 'open'])

  const { epoch, expectedEpoch } = await changeTo(world, 'realtime')
  expect(await world.ledger.drain({ epoch, expectedEpoch })).toEqual({ kind: 'draining' })
  const { admitted } = (await world.ledger.survey()).counts
  await world.emit(...texts(12).slice(8))
  world.provider.server.finishAll()
  await vi.waitFor(async () => {
    const { obligations } = await world.ledger.survey()
    expect(obligations.map(({ kind }) => kind)).toEqual(['orphan'])
  }, patience)
  expect((await world.ledger.survey()).counts.admitted).toBe(admitted)
  expect(Object.keys(world.texts())).toHaveLength(5)

  await world.ledger.switchLanes(await changeTo(world, 'realtime'))
  await world.settled()
  expect(world.texts()).toEqual(textsById(12))
  expect(world.provider.server.jobs).toHaveLength(1)
  expect(repeatedPayments(world)).toBe(0)
})

test.concurrent('after an aborted drain the old lane takes its orphans and the stream up again', async () => {
  await using world = new MemoryBatchLane()
  await world.ledger.open('batch')
  world.startBatch('batch', { options: { sealAfterMs: 150 } })
  world.start('realtime')
  await world.emit(...texts(6))
  await untilStates(world, ['open'])
  const { epoch, expectedEpoch } = await changeTo(world, 'realtime')
  await world.ledger.drain({ epoch, expectedEpoch })
  await world.emit(...texts(9).slice(6))
  await world.ledger.abortSwitch(epoch)
  await world.settled()

  expect(world.texts()).toEqual(textsById(9))
  expect(realtimePayments(world)).toBe(0)
  expect(repeatedPayments(world)).toBe(0)
})
