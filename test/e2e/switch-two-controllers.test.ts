import { otherLane } from '@pointsman/core/domain/lane'
import { expect, test } from 'vitest'
import { freezeProcess } from '../../tools/stack/freeze-process.ts'
import { injectedServers } from '../support/injected-servers.ts'
import { Refused, type SwitchingController, type Wish } from '../support/switching-controller.ts'
import { SwitchingScene } from '../support/switching-scene.ts'
import { cutToBatch, openWire } from '../support/switching-wire.ts'

const servers = injectedServers()

/** The refusal of a wish that must not come true. */
async function refusalOf(asked: Promise<unknown>): Promise<Refused> {
  const refused = await asked.then(
    () => new Error('it was made'),
    (error: unknown) => error
  )
  if (refused instanceof Refused) return refused
  throw refused
}

test.concurrent('two controllers are asked for a switch each: one is made, the other is refused with it', async ({
  expect
}) => {
  await using scene = await SwitchingScene.open(servers)
  const [one, two] = await Promise.all([scene.startController(), scene.startController()])
  await scene.warm()
  const trickle = scene.trickle()
  let target = otherLane('realtime')
  for (let round = 0; round < 6; round += 1) {
    const { epoch: expectedEpoch } = await scene.state()
    const ask = (controller: SwitchingController, switchId: string): Promise<unknown> =>
      controller.switch({ switchId, target, expectedEpoch })
    const ids = [`one-${round}`, `two-${round}`] as const
    const asked = await Promise.allSettled([ask(one, ids[0]), ask(two, ids[1])])
    const won = ids.filter((_, index) => asked[index]?.status === 'fulfilled')
    expect(won, scene.said).toHaveLength(1)
    const [winner = ''] = won
    const { epoch } = await scene.state()
    expect(await scene.outcome(winner)).toMatchObject({ epoch, result: 'completed' })
    for (const [index, answer] of asked.entries()) {
      if (answer.status === 'fulfilled') continue
      const told = await refusalOf(Promise.reject(answer.reason))
      expect(told).toMatchObject({ status: 409 })
      expect(['EPOCH_CHANGED', 'SWITCH_LOST', 'SWITCH_UNDER_WAY']).toContain(told.code)
      const lost = await scene.outcome(ids[index] ?? '')
      expect([undefined, 'refused']).toContain(lost?.result)
    }
    expect(await scene.partitionsIn(target)).toEqual([0, 1, 2, 3])
    await scene.admitsMore()
    target = otherLane(target)
  }
  await trickle.stop()
  await scene.expectAllIsWell()
})

test.concurrent('two controllers are asked for the same switch: it is made once, and both tell the same', async ({
  expect
}) => {
  await using scene = await SwitchingScene.open(servers)
  const [one, two] = await Promise.all([scene.startController(), scene.startController()])
  await scene.warm()
  const trickle = scene.trickle()
  let target = otherLane('realtime')
  for (const strategy of ['detach', 'drain', 'force', 'detach'] as const) {
    const wish: Wish = { switchId: `both-${strategy}-${target}`, target, strategy }
    await Promise.all([one.switch(wish), two.switch(wish)])
    await scene.eventually(async () => expect(await scene.outcome(wish.switchId ?? '')).toBeDefined())
    const [told, again] = await Promise.all([one.switch(wish), two.switch(wish)])
    expect(again).toEqual(told)
    const [first] = await scene.intents(wish.switchId)
    expect(told).toMatchObject({ state: 'completed', epoch: first })
    expect((await scene.state()).epoch).toBe(first)
    target = otherLane(target)
  }
  await trickle.stop()
  await scene.expectAllIsWell()
})

test.concurrent.for([
  ['before the lanes are switched again', false],
  ['when the lanes are switched back already', true]
] as const)(
  'frozen between intent and cut, it wakes %s: another has made its switch, and it changes nothing',
  async ([, isSwitchedBack], { expect }) => {
    await using scene = await SwitchingScene.open(servers)
    await using wire = await openWire(servers.REDIS_URL)
    const [slow, other] = await Promise.all([
      scene.startController({ REDIS_URL: wire.url, POINTSMAN_INSTANCE: 'slow' }),
      scene.startController({ POINTSMAN_INSTANCE: 'other' })
    ])
    await scene.warm()
    const trickle = scene.trickle()
    const wish: Wish = { switchId: 'frozen', target: 'batch' }
    const cut = wire.hold(cutToBatch)
    const asked = slow.switch(wish).catch((error: unknown) => error)
    await cut
    await freezeProcess(slow.process.pid)
    expect(await scene.intents('frozen')).toHaveLength(1)

    await scene.eventually(async () => expect(await scene.outcome('frozen')).toBeDefined())
    expect(await scene.outcome('frozen')).toMatchObject({ result: 'completed' })
    if (isSwitchedBack) await other.switch({ target: 'realtime' })
    await scene.admitsMore()
    const before = await scene.state()
    const records = (await scene.intents()).length

    wire.release()
    slow.process.signal('SIGCONT')
    await asked
    // Its connections may have been given up for new ones meanwhile.
    const [epoch] = await scene.intents('frozen')
    await scene.eventually(async () =>
      expect(await slow.switch(wish)).toMatchObject({ state: 'completed', epoch })
    )
    const after = await scene.state()
    expect({ epoch: after.epoch, cutMs: after.handoff?.cutMs }).toEqual({
      epoch: before.epoch,
      cutMs: before.handoff?.cutMs
    })
    expect(await scene.partitionsIn(isSwitchedBack ? 'realtime' : 'batch')).toEqual([0, 1, 2, 3])
    expect((await scene.intents()).length).toBe(records)
    await scene.admitsMore()
    await trickle.stop()
    await scene.expectAllIsWell()
  }
)

test('a request that is repeated for as long as a switch drains gets the same switch', async () => {
  await using scene = await SwitchingScene.open(servers, { lane: 'batch' })
  const controller = await scene.startController()
  await scene.holdJobs()
  await scene.warm()
  await using _trickle = scene.trickle()
  await scene.sent(1)
  const wish: Wish = { switchId: 'again', target: 'realtime', strategy: 'drain' }
  const reports = await Promise.all([1, 2, 3, 4].map(() => controller.switch(wish)))
  expect(new Set(reports.map(({ epoch }) => epoch)).size).toBe(1)
  expect(await scene.intents('again')).toHaveLength(1)
  expect(await refusalOf(controller.switch({ ...wish, strategy: 'force' }))).toMatchObject({
    code: 'SWITCH_ID_REUSED'
  })
  expect(await refusalOf(controller.switch({ target: 'realtime' }))).toMatchObject({
    code: 'SWITCH_UNDER_WAY'
  })
  await scene.letJobsEnd()
  await scene.eventually(async () =>
    expect(await controller.find('again')).toMatchObject({ state: 'completed' })
  )
})
