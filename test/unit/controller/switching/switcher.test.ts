import { describe, expect, test, vi } from 'vitest'
import { never, SwitchingWorld, wishFor } from '../../../support/switching.ts'

const refusedAs = (code: string) => expect.objectContaining({ code })

describe('a switch', () => {
  test('is recorded, made, and its end recorded', async () => {
    const of = await SwitchingWorld.open()
    const report = await of
      .controller()
      .request(wishFor('batch', { switchId: 'one', actor: 'me', reason: 'why' }), never)

    expect(report).toMatchObject({
      switchId: 'one',
      state: 'completed',
      epoch: 2,
      expectedEpoch: 1,
      target: 'batch',
      partitions: [0, 1],
      actor: 'me',
      reason: 'why',
      frontiers: { 0: 0, 1: 0 }
    })
    expect(await of.lanes()).toEqual(['batch', 'batch'])
    expect(await of.records()).toEqual(['opened', 'intent', 'completed'])
    expect(of.ended).toEqual([report])
  })

  test('to where all is already changes and records nothing', async () => {
    const of = await SwitchingWorld.open()
    expect((await of.controller().request(wishFor('realtime'), never)).state).toBe('unchanged')
    expect(await of.records()).toEqual([])
  })

  test('repeated with its id is answered as the first time, by any controller', async () => {
    const of = await SwitchingWorld.open()
    const wish = wishFor('batch', { switchId: 'one' })
    const first = await of.controller().request(wish, never)
    await of.controller('other').request(wishFor('realtime'), never)
    expect(await of.controller('third').request(wish, never)).toEqual(first)
    expect(await of.lanes()).toEqual(['realtime', 'realtime'])
  })

  test.each([
    ['another target', wishFor('realtime', { switchId: 'one' })],
    ['another strategy', wishFor('batch', { switchId: 'one', strategy: 'force' })],
    ['another share', wishFor('batch', { switchId: 'one', share: 0.5 })],
    ['another epoch', wishFor('batch', { switchId: 'one', expectedEpoch: 2 })]
  ])('that has the id of another, with %s, is refused', async (_, other) => {
    const of = await SwitchingWorld.open()
    await of.controller().request(wishFor('batch', { switchId: 'one' }), never)
    await expect(of.controller().request(other, never)).rejects.toThrow(refusedAs('SWITCH_ID_REUSED'))
    expect(await of.records()).toEqual(['opened', 'intent', 'completed'])
  })

  test('that expects another epoch is refused', async () => {
    const of = await SwitchingWorld.open()
    await expect(of.controller().request(wishFor('batch', { expectedEpoch: 9 }), never)).rejects.toThrow(
      refusedAs('EPOCH_CHANGED')
    )
    expect(await of.records()).toEqual([])
  })

  test('to a lane that is not ready is refused, unless it is asked for even so', async () => {
    const of = await SwitchingWorld.open()
    of.world.clock.now += 7_200_000
    await expect(of.controller().request(wishFor('batch'), never)).rejects.toThrow(
      refusedAs('STANDBY_NOT_READY')
    )
    const even = await of.controller().request(wishFor('batch', { evenIfUnready: true }), never)
    expect(even.state).toBe('completed')
  })

  test('is not made on a control log that was made anew', async () => {
    const of = await SwitchingWorld.open()
    await of.controller().request(wishFor('batch'), never)
    of.world.control.truncate(0n)
    await expect(of.controller('fresh').request(wishFor('realtime'), never)).rejects.toThrow(
      refusedAs('CONTROL_LOG_CUT')
    )
    expect(await of.lanes()).toEqual(['batch', 'batch'])
  })

  test('whose record was written without an answer is made all the same', async () => {
    const of = await SwitchingWorld.open()
    const controller = of.controller()
    await controller.request(wishFor('batch'), never)
    of.world.control.loseNextAnswer()
    expect((await controller.request(wishFor('realtime'), never)).state).toBe('completed')
    expect(await of.lanes()).toEqual(['realtime', 'realtime'])
  })

  test('is not made when it cannot be recorded', async () => {
    const of = await SwitchingWorld.open()
    of.world.control.beginOutage()
    await expect(of.controller().request(wishFor('batch'), never)).rejects.toThrow(
      refusedAs('LOG_UNAVAILABLE')
    )
    expect(await of.lanes()).toEqual(['realtime', 'realtime'])
  })

  test('that is recorded while the ledger is away is carried out when it answers again', async () => {
    const of = await SwitchingWorld.open()
    const controller = of.controller()
    const { ledger } = of.world
    const { Failure } = await import('@pointsman/core/domain/failure')
    const away = vi
      .spyOn(ledger, 'switchLanes')
      .mockRejectedValue(new Failure('LEDGER_UNAVAILABLE', 'the ledger is away'))
    const report = await controller.request(wishFor('batch', { switchId: 'one' }), never)
    expect(report).toMatchObject({ state: 'pending', because: expect.stringContaining('the ledger is away') })
    away.mockRestore()

    const stop = new AbortController()
    const running = controller.run(stop.signal).catch(() => undefined)
    await vi.waitFor(async () => expect(await of.lanes()).toEqual(['batch', 'batch']))
    stop.abort()
    await running
    expect((await controller.find('one', never))?.state).toBe('completed')
  })
})

describe('competing switches', () => {
  test('of two that were recorded at once the first is made, and the other is told whose it was', async () => {
    const of = await SwitchingWorld.open()
    await of.controller().request(wishFor('batch'), never)
    const one = of.controller('one')
    const two = of.controller('two')
    await Promise.all([one.history(0, never), two.history(0, never)])
    const ended = await Promise.allSettled([
      one.request(wishFor('realtime', { switchId: 'a', actor: 'anna' }), never),
      two.request(wishFor('realtime', { switchId: 'b', actor: 'ben' }), never)
    ])
    const history = await of.controller().history(10, never)
    expect(history.current).toBeNull()
    const made = history.switches.filter(({ state }) => state === 'completed')
    expect(made.map(({ epoch }) => epoch)[0]).toBe(history.epoch)
    for (const [index, switchId] of ['a', 'b'].entries()) {
      const { status } = ended[index] ?? { status: 'lost' }
      const recorded = history.switches.find(one => one.switchId === switchId)
      // Who came second found it done, or had recorded it already and is told that it came second.
      if (recorded?.state === 'refused') expect(status).toBe('rejected')
      else expect(status).toBe('fulfilled')
    }
  })

  test('the same request at two controllers at once is one switch', async () => {
    const of = await SwitchingWorld.open()
    const wish = wishFor('batch', { switchId: 'same' })
    const [a, b] = await Promise.all([
      of.controller('one').request(wish, never),
      of.controller('two').request(wish, never)
    ])
    expect(a.epoch).toBe(b.epoch)
    const { switches } = await of.controller().history(10, never)
    expect(switches.map(({ switchId, state }) => [switchId, state])).toEqual([['same', 'completed']])
  })
})

describe('a way back', () => {
  const by = { actor: 'me', reason: 'oops', evenIfUnready: false }

  test('restores the mixture of lanes that was before', async () => {
    const of = await SwitchingWorld.open('realtime', 4)
    const controller = of.controller()
    await controller.request(wishFor('batch', { share: 0.5 }), never)
    await controller.request(wishFor('batch'), never)
    expect(await of.lanes()).toEqual(['batch', 'batch', 'batch', 'batch'])
    const back = await controller.rollback({ ...by, switchId: 'back' }, never)
    expect(back).toMatchObject({ state: 'completed', target: 'realtime', share: 0.5 })
    expect(await of.lanes()).toEqual(['batch', 'batch', 'realtime', 'realtime'])
    expect(await controller.rollback({ ...by, switchId: 'back' }, never)).toEqual(back)
  })

  test('is refused when the lane that was left is not ready any more, unless it is asked for even so', async () => {
    const of = await SwitchingWorld.open()
    const controller = of.controller()
    await controller.request(wishFor('batch'), never)
    of.world.clock.now += 7_200_000
    await expect(controller.rollback(by, never)).rejects.toThrow(refusedAs('STANDBY_NOT_READY'))
    expect((await controller.rollback({ ...by, evenIfUnready: true }, never)).state).toBe('completed')
  })

  test('is refused when nothing was switched', async () => {
    const of = await SwitchingWorld.open()
    await expect(of.controller().rollback(by, never)).rejects.toThrow(refusedAs('NOTHING_TO_ROLL_BACK'))
  })
})
