import { expect, test } from 'vitest'
import { documentOf } from '../../../support/memory-world.ts'
import { RebuildWorld } from '../../../support/rebuild-world.ts'
import { Switcher } from '../../../../services/controller/src/switching/switcher.ts'
import { wishFor } from '../../../support/switching.ts'

const never = new AbortController().signal

async function running(): Promise<RebuildWorld> {
  const of = new RebuildWorld()
  await of.world.produce(documentOf('a', 'text a'), documentOf('b', 'text b'))
  await of.world.drain()
  await of.keeper().step(never)
  await of.commit()
  return of
}

async function switchTo(of: RebuildWorld, lane: 'realtime' | 'batch', share = 1): Promise<void> {
  const switcher = new Switcher({
    parts: of.parts(),
    hit: () => undefined,
    self: 'test',
    warn: () => undefined,
    onEnd: () => undefined
  })
  const { state } = await switcher.request(wishFor(lane, { share, evenIfUnready: true }), never)
  expect(state).toBe('completed')
}

test('a ledger that nothing speaks against is left alone', async () => {
  const of = await running()
  const before = await of.world.ledger.state()
  await of.keeper().step(never)
  await of.keeper().step(never)
  expect(await of.world.ledger.state()).toEqual(before)
  expect(of.warned).toEqual([])
})

test('one whose W is below what was committed is given up and rebuilt', async () => {
  const of = await running()
  const older = of.world.ledgerServer.snapshot()
  await of.world.produce(documentOf('c', 'text c'))
  await of.world.drain()
  await of.commit('batch')
  of.world.ledgerServer.rollBack(older)
  const { ledgerId } = await of.world.ledger.state()
  const state = await of.rebuilt()
  expect(state.ledgerId).not.toBe(ledgerId)
  expect(state).toMatchObject({ rebuild: undefined, epoch: 2 })
  expect(await of.statuses(documentOf('c', 'text c'))).toEqual(['indexed'])
})

test('one with a lower epoch than a switch that was completed is given up, and the lanes are those of the switch', async () => {
  const of = await running()
  const older = of.world.ledgerServer.snapshot()
  await switchTo(of, 'batch')
  of.world.ledgerServer.rollBack(older)
  const state = await of.rebuilt()
  expect(state).toMatchObject({ rebuild: undefined, defaultLane: 'batch' })
  expect([...state.partitions.values()].map(({ lane }) => lane)).toEqual(['batch', 'batch'])
  expect(state.epoch).toBeGreaterThan(3)
})

test('one of another life than the control log tells of is given up', async () => {
  const of = await running()
  of.world.ledgerServer.lose()
  await of.world.ledger.open('realtime')
  const state = await of.rebuilt()
  expect(state).toMatchObject({ rebuild: undefined, epoch: 2 })
  expect(of.warned.join()).toContain('the control log tells of another one')
})

test('lanes survive the loss, also after switches to and fro in two lives', async () => {
  const of = await running()
  await switchTo(of, 'batch')
  of.world.ledgerServer.lose()
  expect((await of.rebuilt()).defaultLane).toBe('batch')
  await switchTo(of, 'realtime')
  of.world.ledgerServer.lose()
  const state = await of.rebuilt()
  expect(state.defaultLane).toBe('realtime')
  expect(new Set([...state.partitions.values()].map(({ lane }) => lane))).toEqual(new Set(['realtime']))
})

test('partitions that no switch has moved keep their lane, too', async () => {
  const of = await running()
  await switchTo(of, 'batch', 0.5)
  const before = await of.world.ledger.state()
  expect(new Set([...before.partitions.values()].map(({ lane }) => lane)).size).toBe(2)
  of.world.ledgerServer.lose()
  const after = await of.rebuilt()
  const lanes = [...before.partitions].map(([partition, { lane }]) => [partition, lane])
  expect([...after.partitions].map(([partition, { lane }]) => [partition, lane])).toEqual(lanes)
  expect(after.defaultLane).toBe(before.defaultLane)
})

test('a part that is away is waited for, and then the rebuild goes on', async () => {
  const of = await running()
  of.world.ledgerServer.lose()
  of.world.control.beginOutage()
  await expect(of.keeper().step(never)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
  of.world.control.endOutage()
  expect(await of.rebuilt()).toMatchObject({ rebuild: undefined, epoch: 2 })
})

test('a keeper that has opened no ledger yet ends no rebuild of another one than it began', async () => {
  const of = await running()
  of.world.ledgerServer.lose()
  await of.world.ledger.open('realtime', 'lost')
  const parts = of.parts()
  const store = new Proxy(parts.store, {
    get: (target, name) => {
      // In the midst of the rebuild another ledger stands there, which is being rebuilt as well.
      if (name === 'count') {
        of.world.ledgerServer.lose()
        of.world.ledgerServer.begin('realtime', 'lost once more')
      }
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    }
  })
  await expect(of.keeper(undefined, { ...parts, store }).step(never)).rejects.toMatchObject({
    code: 'LEDGER_FOREIGN'
  })
  expect(of.world.ledgerServer.state?.rebuild).toBeDefined()
})
