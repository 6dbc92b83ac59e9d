import { expect, test } from 'vitest'
import { LagMonitor } from '../../../services/controller/src/lag/lag-monitor.ts'
import { documentOf, MemoryWorld } from '../../support/memory-world.ts'

const never = new AbortController().signal

async function openWorld(): Promise<{ readonly world: MemoryWorld; readonly monitor: LagMonitor }> {
  const world = new MemoryWorld()
  await world.drain()
  const { admin, ranges, ledger, clock, groups } = world
  return { world, monitor: new LagMonitor({ admin, ranges, ledger, clock, groups }) }
}

test('the age of what waits is that of its oldest record', async () => {
  const { world, monitor } = await openWorld()
  await world.produce(documentOf('a', 'one'))
  world.clock.now += 5000
  await world.produce(documentOf('a', 'two', { version: 2 }))
  world.clock.now += 1000
  const { totals } = (await monitor.look(never)).report
  expect(totals).toMatchObject({ unread: 2, oldestUnreadMs: 6000, oldestUnsettledMs: null })
})

test('a watermark that stands is explained by the obligation that holds it', async () => {
  const { world, monitor } = await openWorld()
  await world.produce(documentOf('a', 'stuck'), documentOf('a', 'newer', { version: 2 }))
  let first = true
  await world.drain(() => {
    const isStuck = first
    first = false
    return isStuck ? 'open' : 'indexed'
  })
  await monitor.look(never)
  world.clock.now += 3000
  const { partitions, totals } = (await monitor.look(never)).report
  const blocked = partitions.find(({ blocking }) => blocking !== null)
  expect(blocked).toMatchObject({
    outstanding: 1,
    doneAhead: 1,
    oldestUnsettledMs: 3000,
    blocking: { offset: blocked?.watermark, kind: 'request', state: 'admitted', ageMs: 3000 }
  })
  expect(totals.stages).toEqual({ admitted: 1, paying: 0, inJobs: 0, waiting: 0, unaccounted: 0 })
})

test('whoever looks after a change sees it, also while another reading is under way', async () => {
  const { world, monitor } = await openWorld()
  const early = monitor.look(never)
  await world.produce(documentOf('a', 'one'))
  const [, late, shared] = await Promise.all([early, monitor.look(never), monitor.look(never)])
  expect(late.report.totals.unread).toBe(1)
  expect(shared).toBe(late)
})

test('a reading that failed does not stand in the way of the next', async () => {
  const { world, monitor } = await openWorld()
  world.log.beginOutage('log')
  await expect(monitor.look(never)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
  world.log.endOutage('log')
  expect((await monitor.look(never)).report.status).toBe('OK')
})

test('the loop goes on over an outage and ends with its signal', async () => {
  const { world, monitor } = await openWorld()
  const stop = new AbortController()
  const told: string[] = []
  world.log.beginOutage('log')
  const running = monitor.run(
    {
      view: () => {
        told.push('view')
        stop.abort(new Error('enough'))
      },
      failure: ({ code }) => {
        told.push(code)
        world.log.endOutage('log')
      }
    },
    stop.signal
  )
  await expect(running).rejects.toThrow('enough')
  expect(told).toEqual(['LOG_UNAVAILABLE', 'view'])
})
