// Create calls whose answers are lost, and jobs that are cancelled: no text is paid for twice, whatever the moment.
import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { MemoryBatchLane } from '../support/memory-batch-lane.ts'
import { aText } from '../support/memory-lane.ts'

const patience = { timeout: 8_000, interval: 5 }

const texts = (count: number) =>
  Array.from({ length: count }, (_, index) => aText(`d${index}`, 1, `text ${index}`))

test('of create calls without an answer, carried out whenever, one job runs', async () => {
  const lost = fc.constantFrom('before' as const, 'never' as const, 'late' as const)
  await fc.assert(
    fc.asyncProperty(
      fc.array(lost, { maxLength: 3 }),
      fc.integer({ min: 1, max: 6 }),
      async (calls, count) => {
        await using world = new MemoryBatchLane()
        world.provider.fail('create', ...calls.map(carriedOut => ({ kind: 'lost' as const, carriedOut })))
        world.startBatch('one')
        await world.emit(...texts(count))
        if (calls[0] === 'before') {
          // Its file is read: to delete that changes nothing any more.
          await vi.waitFor(() => expect(world.provider.server.jobs).toHaveLength(1), patience)
          world.provider.server.advance(world.provider.server.jobs[0]!.batchId, 'in_progress')
        }
        await world.settled()
        world.provider.arrive()
        world.provider.server.finishAll()

        expect(world.repeatedPayments).toBe(0)
        expect(Object.keys(world.texts())).toHaveLength(count)
      }
    ),
    { numRuns: 5, interruptAfterTimeLimit: 7_000 }
  )
})

test('a manifest whose owner dies while its job is made gets one job that runs', async () => {
  const at = fc.constantFrom<Failpoint>('ba.upload', 'ba.fileid', 'ba.create', 'ba.batchid', 'ba.batchid')
  await fc.assert(
    fc.asyncProperty(at, fc.integer({ min: 2, max: 6 }), async (failpoint, count) => {
      await using world = new MemoryBatchLane()
      const doomed = world.startDoomedBatch('one', failpoint)
      await world.emit(...texts(count))
      await vi.waitFor(() => expect(doomed.died()).toBe(true), patience)
      world.startBatch('one')
      await world.settled()
      world.provider.server.finishAll()

      expect(world.repeatedPayments).toBe(0)
      expect(Object.keys(world.texts())).toHaveLength(count)
    }),
    { numRuns: 4, interruptAfterTimeLimit: 7_000 }
  )
})

test('what a job does while it is being cancelled is not paid for again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), async count => {
      await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
      const { server } = world.provider
      world.startBatch('one', { options: { minLines: count } })
      await world.emit(...texts(count))
      await vi.waitFor(() => expect(server.jobs).toHaveLength(1), patience)
      server.advance(server.jobs[0]!.batchId, 'in_progress')
      const [manifest] = (await world.ledger.survey()).obligations
      await world.ledger.order(manifest!.id, 'cancel')
      await vi.waitFor(() => expect(server.jobs[0]!.status).toBe('cancelling'), patience)
      const looks = world.provider.calls('report')
      await vi.waitFor(() => expect(world.provider.calls('report')).toBeGreaterThan(looks + 2), patience)
      await vi.waitFor(async () => {
        server.finishAll()
        expect(Object.keys(world.texts())).toHaveLength(count)
      }, patience)
      await world.settled()

      expect(world.repeatedPayments).toBe(0)
    }),
    { numRuns: 3, interruptAfterTimeLimit: 7_000 }
  )
})
