import { type Lane, otherLane } from '@pointsman/core/domain/lane'
import type { SwitchStrategy } from '@pointsman/core/ports/control-log'
import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import { test } from 'vitest'
import { injectedServers } from '../support/injected-servers.ts'
import type { SwitchingController } from '../support/switching-controller.ts'
import { SwitchingScene } from '../support/switching-scene.ts'

const servers = injectedServers()
/** Within which a new controller has brought a switch to its end, from the moment at which it is ready. */
const recoveryMs = 10_000

/**
 * In this order, each controller ends the switch of the one before and dies in the next one: at its second hit, where what it
 * ends brings it by the place once before.
 */
const crashes: readonly (readonly [Failpoint | `${Failpoint}:2`, SwitchStrategy])[] = [
  ['ctl.intent', 'detach'],
  ['ctl.intent', 'drain'],
  ['ctl.intent', 'force'],
  ['ctl.drain', 'drain'],
  ['ctl.fence:2', 'detach'],
  ['ctl.fence:2', 'drain'],
  ['ctl.fence:2', 'force'],
  ['ctl.finish:2', 'detach'],
  ['ctl.finish', 'drain'],
  ['ctl.finish', 'force']
]

test.concurrent.for<Lane>(['realtime', 'batch'])(
  'kill -9 of the controller at each failpoint, with each strategy, to and fro, first from %s: the next one ends the switch',
  { timeout: 300_000 },
  async (first, { expect }) => {
    await using scene = await SwitchingScene.open(servers, { lane: first })
    await scene.warm()
    const trickle = scene.trickle()
    const tookMs: number[] = []
    let target = first
    const startFor = async (crash: number): Promise<SwitchingController> => {
      const [failpoint] = crashes[crash] ?? []
      return scene.startController(failpoint === undefined ? {} : { POINTSMAN_FAILPOINT: failpoint })
    }
    let doomed = await startFor(0)
    for (const [crash, [failpoint, strategy]] of crashes.entries()) {
      target = otherLane(target)
      const wish = { switchId: `${failpoint}-${strategy}`, target, strategy }
      // One that drains may have answered before it dies.
      await doomed.switch(wish).catch(() => undefined)
      expect(await doomed.process.ended).toBeNull()
      expect(await scene.intents(wish.switchId)).toHaveLength(1)

      const next = await startFor(crash + 1)
      const readyMs = performance.now()
      await scene.eventually(async () => {
        expect(await scene.outcome(wish.switchId)).toMatchObject({ result: 'completed' })
        expect((await scene.state()).draining).toBeUndefined()
      })
      await scene.admitsMore()
      tookMs.push(performance.now() - readyMs)

      const { epoch, state } = await next.switch(wish)
      expect({ epoch, state }).toEqual({ epoch: (await scene.state()).epoch, state: 'completed' })
      expect(await scene.intents(wish.switchId)).toEqual([epoch])
      expect(await scene.partitionsIn(target)).toEqual([0, 1, 2, 3])
      doomed = next
    }
    expect(Math.max(...tookMs)).toBeLessThan(recoveryMs)
    await trickle.stop()
    await scene.expectAllIsWell()
  }
)
