import { expect, test, vi } from 'vitest'
import { MemoryBatchLane } from '../../support/memory-batch-lane.ts'
import { aText } from '../../support/memory-lane.ts'

const patience = { timeout: 8_000, interval: 10 }

test.concurrent.for([0, 1])(
  'a manifest of partitions that a switch puts into different lanes is finished, whichever stays: %i',
  async (stays, { expect: expects }) => {
    await using world = new MemoryBatchLane()
    await world.ledger.open('batch')
    const slow = { options: { sealAfterMs: 60_000, maxLines: 100 } }
    const batch = world.startBatch('batch', slow)
    const ids = Array.from({ length: 20 }, (_, index) => `d${index}`)
    // Each text in two documents, which may be of different partitions: they go one way.
    await world.emit(...ids.map((id, index) => aText(id, 1, `text ${index % 10}`)))
    expects(new Set(ids.map(id => world.log.partitionOf(id))).size).toBe(2)
    await vi.waitFor(async () => expect((await world.ledger.survey()).counts.admitted).toBe(20), patience)
    await batch.stop()

    const { epoch } = await world.ledger.state()
    const lanes = new Map([[1 - stays, 'realtime' as const]])
    const change = { expectedEpoch: epoch, epoch: epoch + 1, lanes, defaultLane: 'batch' as const }
    const switched = await world.ledger.switchLanes({ ...change, release: 'open' })
    expects(switched.kind).toBe('switched')
    world.startBatch('batch')
    world.start('realtime')
    await world.settled()

    expects(world.texts()).toEqual(Object.fromEntries(ids.map((id, index) => [id, [`text ${index % 10}`]])))
    const payments = [...world.provider.server.payments, ...world.embedder.payments]
    expects(payments.reduce((sum, [, times]) => sum + times, 0)).toBe(10)
  }
)
