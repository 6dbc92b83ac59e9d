import { expect, test, vi } from 'vitest'
import { batchFailpoints } from '../../support/batch-failpoints.ts'
import { MemoryBatchLane } from '../../support/memory-batch-lane.ts'
import { aText, aTombstone } from '../../support/memory-lane.ts'

test.concurrent.each(batchFailpoints)(
  'what an instance that died at %s left behind is finished after a restart: one job a manifest, nothing paid twice',
  async failpoint => {
    await using world = new MemoryBatchLane()
    const doomed = world.startDoomedBatch('one', failpoint)
    await world.emit(
      ...Array.from({ length: 10 }, (_, index) => aText(`d${index}`, 1, `text ${index}`)),
      aText('twin', 1, 'text 3'),
      aText('old', 1, 'first'),
      aText('old', 2, 'second'),
      aText('gone', 1, 'gone soon'),
      aTombstone('gone', 2)
    )
    await vi.waitFor(() => expect(doomed.died()).toBe(true), { timeout: 4_000 })
    world.startBatch('one')
    await world.settled()

    expect(world.texts()).toEqual({
      ...Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`d${index}`, [`text ${index}`]])),
      twin: ['text 3'],
      old: ['second']
    })
    expect(world.repeatedPayments).toBe(0)
    await vi.waitFor(async () => expect((await world.ledger.survey()).obligations).toEqual([]), {
      timeout: 4_000
    })
    expect(Object.values(world.jobsByManifest).every(jobs => jobs === 1)).toBe(true)
    expect(world.provider.server.results.size).toBe(0)
    // What was sent and not noted is swept by the next one that starts.
    world.startBatch('sweeper')
    await vi.waitFor(() => expect(world.provider.server.inputs.size).toBe(0), { timeout: 4_000 })
  }
)
