import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import { expect, test, vi } from 'vitest'
import { killed, never, SwitchingWorld, wishFor } from '../../../support/switching.ts'

async function carriedOn(of: SwitchingWorld, switchId: string) {
  const next = of.controller('next')
  const stop = new AbortController()
  const running = next.run(stop.signal).catch(() => undefined)
  const found = await vi.waitFor(async () => {
    const report = await next.find(switchId, never)
    if (report === undefined || report.endedMs === null) throw new Error(`it is ${report?.state}`)
    return report
  })
  stop.abort()
  await running
  return found
}

test.each<[Failpoint, 'detach' | 'drain' | 'force']>([
  ['ctl.intent', 'detach'],
  ['ctl.intent', 'drain'],
  ['ctl.intent', 'force'],
  ['ctl.drain', 'drain'],
  ['ctl.fence', 'detach'],
  ['ctl.fence', 'drain'],
  ['ctl.fence', 'force'],
  ['ctl.finish', 'detach'],
  ['ctl.finish', 'drain'],
  ['ctl.finish', 'force']
])(
  'a controller that is killed at %s (%s) is followed by one that ends its switch',
  async (failpoint, strategy) => {
    const of = await SwitchingWorld.open()
    const wish = wishFor('batch', { switchId: 'one', strategy })
    await expect(of.controller('first', { dieAt: failpoint }).request(wish, never)).rejects.toBe(killed)

    const report = await carriedOn(of, 'one')
    expect(report).toMatchObject({ state: 'completed', epoch: 2 })
    expect(await of.lanes()).toEqual(['batch', 'batch'])
    expect((await of.world.ledger.state()).draining).toBeUndefined()
    expect(await of.controller('third').request(wish, never)).toEqual(report)
  }
)

test('a switch that nobody carried out before its deadline is undone by the next controller', async () => {
  const of = await SwitchingWorld.open()
  const wish = wishFor('batch', { switchId: 'one', deadlineMs: 5_000 })
  await expect(of.controller('first', { dieAt: 'ctl.intent' }).request(wish, never)).rejects.toBe(killed)
  of.world.clock.now += 6_000

  expect(await carriedOn(of, 'one')).toMatchObject({ state: 'aborted', because: 'it had not cut after 5 s' })
  expect(await of.lanes()).toEqual(['realtime', 'realtime'])
})

test('one that was made before its deadline and not recorded is recorded as made', async () => {
  const of = await SwitchingWorld.open()
  const wish = wishFor('batch', { switchId: 'one', deadlineMs: 5_000 })
  await expect(of.controller('first', { dieAt: 'ctl.fence' }).request(wish, never)).rejects.toBe(killed)
  of.world.clock.now += 6_000
  expect(await carriedOn(of, 'one')).toMatchObject({ state: 'completed', epoch: 2 })
})

test('the intent of a ledger that is gone is not carried out on another', async () => {
  const of = await SwitchingWorld.open()
  await expect(
    of.controller('first', { dieAt: 'ctl.intent' }).request(wishFor('batch', { switchId: 'one' }), never)
  ).rejects.toBe(killed)
  const other = await SwitchingWorld.open()
  for (const { record } of await of.world.control.read(0n, never)) {
    if (record !== undefined) await other.world.control.append(record, never)
  }
  // While the log does not tell of the other ledger's life, the intent may still be meant.
  await other.controller('one step').step(never)
  expect(await other.controller().find('one', never)).toMatchObject({ endedMs: null })
  const { ledgerId } = await other.world.ledger.state()
  const opened = { kind: 'opened', ledgerId, lane: 'realtime', because: 'lost', atMs: 1 } as const
  await other.world.control.append(opened, never)
  expect(await carriedOn(other, 'one')).toMatchObject({
    state: 'refused',
    because: 'the ledger that it was meant for was lost'
  })
  expect(await other.lanes()).toEqual(['realtime', 'realtime'])
})

test('a controller that slept between intent and cut, while others went on, changes nothing of what they did', async () => {
  const of = await SwitchingWorld.open()
  const woken = Promise.withResolvers<undefined>()
  const sleeper = of.controller('sleeper', {
    point: async call => {
      if (call === 'switchLanes') await woken.promise
    }
  })
  const asked = sleeper.request(wishFor('batch', { switchId: 'slept' }), never)
  await vi.waitFor(async () => expect(await of.records()).toEqual(['opened', 'intent']))
  const other = of.controller('other')
  await other.step(never)
  await other.request(wishFor('realtime', { switchId: 'later' }), never)
  woken.resolve(undefined)

  expect(await asked).toMatchObject({ switchId: 'slept', state: 'completed', epoch: 2 })
  expect(await of.records()).toEqual(['opened', 'intent', 'completed', 'intent', 'completed', 'refused'])
  expect(await of.lanes()).toEqual(['realtime', 'realtime'])
  const { switches } = await of.controller().history(10, never)
  expect(switches.map(({ switchId, state }) => [switchId, state])).toEqual([
    ['later', 'completed'],
    ['slept', 'completed']
  ])
})
