import { otherLane } from '@pointsman/core/domain/lane'
import { expect, test } from 'vitest'
import { injectedServers } from '../support/injected-servers.ts'
import { SwitchingScene } from '../support/switching-scene.ts'

test('twenty switches to and fro in twenty seconds, two instances a lane: nothing lost, doubled or paid for twice', async () => {
  await using scene = await SwitchingScene.open(injectedServers(), { instances: 2 })
  const controller = await scene.startController()
  await scene.warm()
  const trickle = scene.trickle()
  await scene.admitsMore()
  const beganMs = performance.now()
  let target = otherLane('realtime')
  for (let made = 0; made < 20; made += 1) {
    expect(await controller.switch({ target })).toMatchObject({ state: 'completed' })
    await scene.admitsMore()
    target = otherLane(target)
  }
  expect(performance.now() - beganMs).toBeLessThan(20_000)
  expect((await controller.history()).switches).toHaveLength(20)
  await trickle.stop()
  await scene.expectAllIsWell()
})
