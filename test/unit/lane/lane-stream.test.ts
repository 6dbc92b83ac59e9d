import type { ObligationId } from '@pointsman/core/domain/identity'
import { expect, test, vi } from 'vitest'
import { aText, aTombstone, MemoryLane } from '../../support/memory-lane.ts'
import { plainLane } from '../../support/plain-lane.ts'

test('what has to be paid for goes into the manifest of the kind, and into another when the ledger takes no more', async () => {
  await using world = new MemoryLane()
  const named: ObligationId[] = []
  const closed: ObligationId[] = []
  const finishedNow: string[] = []
  const batch = plainLane(({ membership }) => ({
    ready: () => {
      if (named.length === closed.length) named.push(membership.newObligation())
      return Promise.resolve({ manifest: named.at(-1)! })
    },
    closed: manifest => closed.push(manifest),
    admitted: items => {
      const now = items.filter(({ part }) => part.action !== 'embed')
      finishedNow.push(...now.map(({ logged }) => logged.document.docId))
      return now
    }
  }))
  world.startLane(batch, 'one', {})
  await world.emit(aText('a', 1, 'first'), aTombstone('b', 1))
  await vi.waitFor(async () => expect((await world.ledger.survey()).counts.deleted).toBe(1))
  await vi.waitFor(async () => expect((await world.ledger.survey()).obligations).toHaveLength(1))
  const [manifest] = (await world.ledger.survey()).obligations
  await world.ledger.advance(manifest!.id, manifest!.owner!, 'open', 'sealed', {})
  await world.emit(aText('c', 1, 'second'))
  await vi.waitFor(async () => expect((await world.ledger.survey()).obligations).toHaveLength(2))

  const { obligations } = await world.ledger.survey()
  expect(obligations.map(({ id, kind, state }) => [id, kind, state])).toEqual([
    [named[0], 'manifest', 'sealed'],
    [named[1], 'manifest', 'open']
  ])
  expect(closed).toEqual([named[0]])
  expect(finishedNow).toEqual(['b'])
})

test('the ledger begins in the lane of the setting, and the instances of the other lane admit nothing', async () => {
  await using world = new MemoryLane()
  world.startLane(
    plainLane(() => ({})),
    'batch',
    {}
  )
  await vi.waitFor(async () => expect((await world.ledger.state()).defaultLane).toBe('batch'))
  world.start('realtime')
  await world.emit(...Array.from({ length: 20 }, (_, index) => aText(`d${index}`, 1, `text ${index}`)))
  await world.settled()

  expect(Object.keys(world.texts())).toHaveLength(20)
  expect(world.embedder.payments.size).toBe(0)
})

test('a loop of the kind that fails is said, and begun again', async () => {
  await using world = new MemoryLane()
  let begun = 0
  const run = vi.fn<(signal: AbortSignal) => Promise<void>>(async signal => {
    begun += 1
    if (begun === 1) throw new Error('no luck')
    await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  })
  const { warnings } = world.startLane(
    plainLane(() => ({ loops: [{ name: 'harvesting', run }] })),
    'one',
    {}
  )
  await vi.waitFor(() => expect(run).toHaveBeenCalledTimes(2), { timeout: 4_000 })

  expect(warnings).toContain('harvesting failed, beginning again: no luck')
})

test('a loop that is told to stop may finish what it began, until the grace period is over', async () => {
  await using world = new MemoryLane()
  const seen: string[] = []
  const lingering = {
    name: 'lingering',
    run: async (signal: AbortSignal, grace: AbortSignal) => {
      seen.push('begun')
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      seen.push('told to stop')
      await new Promise(resolve => grace.addEventListener('abort', resolve, { once: true }))
      seen.push('over')
    }
  }
  const options = { graceMs: 50 }
  const running = world.startLane(
    plainLane(() => ({ loops: [lingering] })),
    'one',
    { options }
  )
  await vi.waitFor(() => expect(seen).toEqual(['begun']))
  await running.stop()

  expect(seen).toEqual(['begun', 'told to stop', 'over'])
  expect((await world.ledger.survey()).instances).toEqual([])
})
