import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryLedgerServer } from '@pointsman/core/adapters/memory/ledger-server'
import type { Document } from '@pointsman/core/domain/document'
import { expect, test, vi } from 'vitest'
import { startKeeper } from '../../support/memory-keeper.ts'
import { aText, MemoryLane } from '../../support/memory-lane.ts'

const patience = { timeout: 8_000, interval: 10 }
const group = 'pointsman.embedder-realtime'

function texts(from: number, to: number): readonly Document[] {
  return Array.from({ length: to - from }, (_, index) => aText(`d${from + index}`, 1, `text ${from + index}`))
}

function repeatedPayments(world: MemoryLane): number {
  return [...world.embedder.payments.values()].reduce((sum, times) => sum + times - 1, 0)
}

async function committed(world: MemoryLane): Promise<void> {
  await vi.waitFor(() => {
    const offsets = world.log.group(group).committed
    for (const partition of [0, 1]) expect(offsets.get(partition)).toBe(world.log.bounds(partition).end)
  }, patience)
}

test.concurrent('until a controller rebuilds a lost ledger an instance waits outside its group, and says so', async () => {
  await using world = new MemoryLane()
  const { lane } = world.start('one')
  await world.emit(...texts(0, 10))
  await world.settled()
  await committed(world)
  world.ledgerServer.lose()
  await vi.waitFor(() => {
    expect(lane.readiness()).toEqual({
      ready: false,
      reasons: [
        'the ledger is being rebuilt: there was a ledger, and it is gone, waiting 0/0; needs a controller'
      ]
    })
  }, patience)
  expect(world.log.group(group).describe().members).toEqual([])

  await using _keeper = await startKeeper(world, 'realtime')
  await world.emit(...texts(10, 20))
  await world.settled()
  expect(Object.keys(world.texts())).toHaveLength(20)
  expect(repeatedPayments(world)).toBe(0)
})

test.concurrent('W is committed for all partitions before anything is admitted in a ledger', async () => {
  await using world = new MemoryLane()
  await world.emit(...texts(0, 10))
  const ledger = new MemoryLedger(world.ledgerServer)
  const admit = ledger.admit.bind(ledger)
  const before: number[] = []
  vi.spyOn(ledger, 'admit').mockImplementation(async admission => {
    before.push(world.log.group(group).committed.size)
    return admit(admission)
  })
  world.start('one', { ledger })
  await world.settled()

  expect(before[0]).toBe(2)
})

test.concurrent('a ledger that is lost before anything was admitted is known to be lost', async () => {
  await using world = new MemoryLane()
  const { lane } = world.start('one')
  await vi.waitFor(() => expect(world.log.group(group).committed.size).toBe(2), patience)
  world.ledgerServer.lose()
  await vi.waitFor(
    () => expect(lane.readiness().reasons[0]).toMatch(/^the ledger is being rebuilt/),
    patience
  )
})

test.concurrent('who has committed knows of a loss, though the groups were forgotten', async () => {
  await using world = new MemoryLane()
  const { lane } = world.start('one')
  await world.emit(...texts(0, 10))
  await world.settled()
  await vi.waitFor(() => expect(lane.readiness().ready).toBe(true), patience)
  world.ledgerServer.lose()
  await vi.waitFor(() => expect(lane.readiness().ready).toBe(false), patience)
  for (const name of [group, 'pointsman.embedder-batch']) world.log.group(name).committed.clear()
  await vi.waitFor(
    () => expect(lane.readiness().reasons[0]).toMatch(/^the ledger is being rebuilt/),
    patience
  )
})

test.concurrent('a running instance gives up a ledger that was rolled back', async () => {
  await using world = new MemoryLane()
  const { warnings } = world.start('one')
  await world.emit(...texts(0, 10))
  await world.settled()
  const snapshot = world.ledgerServer.snapshot()
  await world.emit(...texts(10, 20))
  await world.settled()
  await committed(world)
  world.ledgerServer.rollBack(snapshot)
  await vi.waitFor(
    () => expect(warnings.join('\n')).toMatch(/lost: the ledger was rolled back: .* fell/),
    patience
  )
  await using _keeper = await startKeeper(world, 'realtime')
  await world.settled()

  expect(Object.keys(world.texts())).toHaveLength(20)
  expect(repeatedPayments(world)).toBe(0)
})

test.concurrent('an instance that begins gives up a ledger with a lower W than was committed', async () => {
  await using world = new MemoryLane()
  const first = world.start('one')
  await world.emit(...texts(0, 10))
  await world.settled()
  const snapshot = world.ledgerServer.snapshot()
  await world.emit(...texts(10, 20))
  await world.settled()
  await committed(world)
  await first.stop()
  world.ledgerServer.rollBack(snapshot)
  const { warnings } = world.start('one')
  await vi.waitFor(
    () => expect(warnings.join('\n')).toMatch(/given up: .* and pointsman.embedder-realtime has committed/),
    patience
  )
  await using _keeper = await startKeeper(world, 'realtime')
  await world.settled()

  expect(Object.keys(world.texts())).toHaveLength(20)
  expect(repeatedPayments(world)).toBe(0)
})

test.concurrent('a ledger that was made anew by who did not know better is given up for what was committed', async () => {
  await using world = new MemoryLane()
  const { lane } = world.start('one')
  await world.emit(...texts(0, 10))
  await world.settled()
  await committed(world)
  world.ledgerServer.lose()
  await new MemoryLedger(world.ledgerServer).open('realtime')
  await vi.waitFor(
    () => expect(lane.readiness().reasons[0]).toMatch(/^the ledger is being rebuilt: .*committed/),
    patience
  )
})

test.concurrent('W that was asked for before somebody committed a later one proves nothing', async () => {
  await using world = new MemoryLane()
  const ledger = new MemoryLedger(world.ledgerServer)
  const { warnings } = world.start('one', { ledger })
  const offsets = world.log.group(group).committed
  await vi.waitFor(() => expect(offsets.size).toBe(2), patience)
  const { ledgerId } = await world.ledger.state()
  // An answer that is long on its way, while W rises and somebody else commits it.
  const read = ledger.watermarks.bind(ledger)
  const release = Promise.withResolvers<void>()
  const watermarks = vi.spyOn(ledger, 'watermarks').mockImplementationOnce(async () => {
    const early = await read()
    await release.promise
    return early
  })
  await vi.waitFor(() => expect(watermarks).toHaveBeenCalledTimes(1), patience)
  await world.emit(...texts(0, 10))
  await world.settled()
  for (const partition of [0, 1]) offsets.set(partition, world.log.bounds(partition).end)
  release.resolve()
  // Asked for again at once, and with the next commits.
  await vi.waitFor(() => expect(watermarks.mock.calls.length).toBeGreaterThan(3), patience)

  expect((await world.ledger.state()).ledgerId).toBe(ledgerId)
  expect(warnings).toEqual([])
})

test.concurrent('a write to the index that is running when the ledger is lost may finish: it is not paid for again', async () => {
  await using world = new MemoryLane()
  const { store } = world
  const write = store.write.bind(store)
  const release = Promise.withResolvers<void>()
  const signals: AbortSignal[] = []
  vi.spyOn(store, 'write').mockImplementation(async (objects, signal) => {
    signals.push(signal)
    await release.promise
    return write(objects, signal)
  })
  const { lane } = world.start('one', { options: { graceMs: 5_000 } })
  await world.emit(...texts(0, 10))
  await vi.waitFor(() => expect(world.embedder.payments.size).toBe(10), patience)
  await vi.waitFor(() => expect(signals.length).toBeGreaterThan(0), patience)
  world.ledgerServer.lose()
  await vi.waitFor(() => expect(lane.readiness().reasons[0]).toMatch(/^the ledger was lost/), patience)
  expect(signals.some(({ aborted }) => aborted)).toBe(false)
  release.resolve()
  await vi.waitFor(
    () => expect(lane.readiness().reasons[0]).toMatch(/^the ledger is being rebuilt/),
    patience
  )
  await using _keeper = await startKeeper(world, 'realtime')
  await world.settled()

  expect(Object.keys(world.texts())).toHaveLength(10)
  expect(repeatedPayments(world)).toBe(0)
})

test.concurrent('instances of one lane that lose their ledger all go on', async () => {
  await using world = new MemoryLane()
  const lanes = [world.start('one').lane, world.start('two').lane]
  await world.emit(...texts(0, 50))
  await world.settled()
  world.ledgerServer.lose()
  await using _keeper = await startKeeper(world, 'realtime')
  await world.emit(...texts(50, 100))
  await world.settled()
  await vi.waitFor(() => {
    for (const lane of lanes) expect(lane.readiness()).toEqual({ ready: true, reasons: [] })
  }, patience)

  expect((await world.ledger.survey()).instances.map(({ instance }) => instance).toSorted()).toEqual([
    'one',
    'two'
  ])
  expect(Object.keys(world.texts())).toHaveLength(100)
  expect(repeatedPayments(world)).toBe(0)
})

test.concurrent('a ledger that is lost again and again, also while it is rebuilt, is rebuilt in the end', async () => {
  await using world = new MemoryLane()
  world.start('one')
  await world.emit(...texts(0, 20))
  await world.settled()
  await using _keeper = await startKeeper(world, 'realtime')
  for (let loss = 0; loss < 3; loss += 1) {
    world.ledgerServer.lose()
    await vi.waitFor(() => expect(world.ledgerServer.state).toBeDefined(), patience)
    world.ledgerServer.lose()
    await world.emit(...texts(20 + 5 * loss, 25 + 5 * loss))
    await world.settled()
  }

  expect(Object.keys(world.texts())).toHaveLength(35)
  expect(repeatedPayments(world)).toBe(0)
})

test.concurrent('at the start a ledger of a lane that was never used is made, without a controller', async () => {
  const server = new MemoryLedgerServer(() => Date.now())
  await using world = new MemoryLane()
  world.start('one', { ledger: new MemoryLedger(server) })
  await vi.waitFor(() => expect(server.state?.owners.size).toBe(1), patience)

  expect(server.state?.rebuild).toBeUndefined()
})
