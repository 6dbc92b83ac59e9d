import type { ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import { expect, test } from 'vitest'
import { never, SwitchingWorld, wishFor } from '../../../support/switching.ts'
import { documentOf } from '../../../support/memory-world.ts'

/** One document in work. @returns what finishes it. */
async function withRequest(of: SwitchingWorld): Promise<() => Promise<void>> {
  const { world } = of
  await world.produce(documentOf('a', 'text'))
  await world.drain(() => 'open')
  const { obligations } = await world.ledger.survey()
  const { id, owner } = obligations[0] ?? { id: '' as ObligationId, owner: undefined }
  const holder: OwnerId = owner ?? ('' as OwnerId)
  return async () => {
    const outcomes = (await world.ledger.parts(id)).map(part => ({ part, settlement: 'indexed' as const }))
    await world.ledger.settle(id, holder, outcomes, 0)
  }
}

const step = (of: SwitchingWorld): Promise<void> => of.controller('stepper').step(never)

test('waits for what is in work, and cuts when nothing is left', async () => {
  const of = await SwitchingWorld.open()
  const finish = await withRequest(of)
  const controller = of.controller()
  const report = await controller.request(wishFor('batch', { strategy: 'drain', switchId: 'one' }), never)
  expect(report).toMatchObject({
    state: 'draining',
    left: { requests: 1, jobs: 0, documents: 1 },
    because: 'waits for 1 requests and 0 jobs with 1 documents'
  })
  expect((await controller.history(1, never)).current?.switchId).toBe('one')
  await step(of)
  expect(await of.lanes()).toEqual(['realtime', 'realtime'])

  await finish()
  await step(of)
  expect((await controller.find('one', never))?.state).toBe('completed')
  expect(await of.lanes()).toEqual(['batch', 'batch'])
})

test('is aborted by order, and the old lane goes on', async () => {
  const of = await SwitchingWorld.open()
  await withRequest(of)
  const controller = of.controller()
  await controller.request(wishFor('batch', { strategy: 'drain', switchId: 'one' }), never)
  const aborted = await of.controller('other').abort({ actor: 'ben', reason: 'no time' }, never)
  expect(aborted).toMatchObject({ switchId: 'one', state: 'aborted', because: 'no time' })
  const state = await of.world.ledger.state()
  expect(state.draining).toBeUndefined()
  expect(state.epoch).toBe(1)
  expect(
    (await controller.request(wishFor('batch', { strategy: 'drain', switchId: 'one' }), never)).state
  ).toBe('aborted')
  expect((await controller.request(wishFor('batch'), never)).state).toBe('completed')
})

test('is aborted when its deadline has passed', async () => {
  const of = await SwitchingWorld.open()
  await withRequest(of)
  await of
    .controller()
    .request(wishFor('batch', { strategy: 'drain', switchId: 'one', deadlineMs: 2_000 }), never)
  of.world.clock.now += 2_001
  await step(of)
  expect(await of.controller().find('one', never)).toMatchObject({ state: 'aborted' })
  expect((await of.world.ledger.state()).draining).toBeUndefined()
})

test('another switch is refused meanwhile, also when it was recorded at the same time', async () => {
  const of = await SwitchingWorld.open()
  await withRequest(of)
  await of.controller().request(wishFor('batch', { strategy: 'drain' }), never)
  await expect(of.controller('two').request(wishFor('batch', { switchId: 'two' }), never)).rejects.toThrow(
    expect.objectContaining({ code: 'SWITCH_UNDER_WAY' })
  )
  const { ledgerId } = await of.world.ledger.state()
  const raced = {
    ...wishFor('batch'),
    kind: 'intent',
    switchId: 'raced',
    ledgerId,
    expectedEpoch: 1
  } as const
  const lanes = new Map([[0, 'batch' as const]])
  await of.world.control.append(
    { ...raced, lanes, before: new Map(), defaultLane: 'batch', atMs: of.world.clock.now },
    never
  )
  await step(of)
  expect(await of.controller().find('raced', never)).toMatchObject({
    state: 'refused',
    because: 'another switch was draining'
  })
})

test('nothing to abort: no switch, or one that was made', async () => {
  const of = await SwitchingWorld.open()
  const by = { actor: 'me', reason: 'no' }
  await expect(of.controller().abort(by, never)).rejects.toThrow(
    expect.objectContaining({ code: 'NOTHING_TO_ABORT' })
  )
  await expect(
    of.controller('first', { dieAt: 'ctl.fence' }).request(wishFor('batch'), never)
  ).rejects.toThrow('killed')
  await expect(of.controller().abort(by, never)).rejects.toThrow(
    expect.objectContaining({ code: 'TOO_LATE_TO_ABORT' })
  )
  expect((await of.controller().history(1, never)).switches[0]?.state).toBe('completed')
})
