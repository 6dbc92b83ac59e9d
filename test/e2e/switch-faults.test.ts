import { setTimeout as pass } from 'node:timers/promises'
import type { Lane } from '@pointsman/core/domain/lane'
import { afterAll, beforeAll, test } from 'vitest'
import { z } from 'zod'
import type { Stack } from '../../tools/stack/start-stack.ts'
import { injectedServers } from '../support/injected-servers.ts'
import { startOwnServers } from '../support/own-servers.ts'
import { SwitchingScene } from '../support/switching-scene.ts'
import { cutToBatch, openWire } from '../support/switching-wire.ts'

const servers = injectedServers()
const lanes: readonly Lane[] = ['realtime', 'batch']
/** Those that come and go: a Redis and a Kafka of our own. */
let own: Stack

beforeAll(async () => {
  own = await startOwnServers('redis', 'kafka')
}, 180_000)
afterAll(() => own[Symbol.asyncDispose]())

test.concurrent('Redis is killed between intent and cut: the switch is made as soon as it is back', async ({
  expect
}) => {
  await using scene = await SwitchingScene.open({ ...servers, REDIS_URL: own.env.REDIS_URL })
  await using wire = await openWire(own.env.REDIS_URL)
  const controller = await scene.startController({ REDIS_URL: wire.url })
  await scene.warm()
  const trickle = scene.trickle()
  const wish = { switchId: 'outage', target: 'batch' } as const
  const cut = wire.hold(cutToBatch)
  const asked = controller.switch(wish).catch((error: unknown) => error)
  await cut
  await own.part('redis').kill()
  await own.part('redis').restart()
  const backMs = performance.now()
  wire.release()
  await scene.eventually(async () =>
    expect(await scene.outcome('outage')).toMatchObject({ result: 'completed' })
  )
  expect(performance.now() - backMs).toBeLessThan(10_000)
  await asked
  const [epoch, ...others] = await scene.intents('outage')
  expect(others).toEqual([])
  expect(await controller.switch(wish)).toMatchObject({ state: 'completed', epoch })
  await scene.admitsMore()
  expect(await scene.partitionsIn('batch')).toEqual([0, 1, 2, 3])
  await trickle.stop()
  await scene.expectAllIsWell()
})

test.concurrent('Kafka stands still for five seconds while a switch is asked for: repeating it makes one switch', async ({
  expect
}) => {
  await using scene = await SwitchingScene.open({ ...servers, KAFKA_BROKERS: own.env.KAFKA_BROKERS })
  const controller = await scene.startController()
  await scene.warm()
  const trickle = scene.trickle()
  await scene.admitsMore()
  const wish = { switchId: 'standstill', target: 'batch' } as const
  await own.part('kafka').freeze()
  const asked = Promise.allSettled([controller.switch(wish), controller.switch(wish)])
  // How long it stands still is what is shown here, not something that is waited for.
  await pass(5_000)
  own.part('kafka').resume()
  await asked
  await scene.eventually(async () =>
    expect(await controller.switch(wish)).toMatchObject({ state: 'completed' })
  )
  const [epoch] = await scene.intents('standstill')
  expect((await scene.state()).epoch).toBe(epoch)
  expect(await controller.switch(wish)).toMatchObject({ state: 'completed', epoch })
  await scene.admitsMore()
  await trickle.stop()
  await scene.expectAllIsWell()
})

test.concurrent.for(lanes)(
  'an embedder of the lane %s is killed while the lanes are switched, to and fro: its next life goes on',
  async (doomed, { expect }) => {
    await using scene = await SwitchingScene.open(servers, { latencyMs: 300 })
    const controller = await scene.startController()
    await scene.warm()
    const trickle = scene.trickle()
    let k = 0
    for (const target of ['batch', 'realtime', 'batch', 'realtime'] as const) {
      await scene.admitsMore()
      const embedder = scene.embedders[doomed][0]
      const asked = controller.switch({ target, evenIfUnready: true })
      embedder?.signal('SIGKILL')
      const atRisk = embedder?.ended.then(() => scene.lane.inputsAtRisk())
      const [told, inputs = 0] = await Promise.all([asked, atRisk])
      expect(told).toMatchObject({ state: 'completed' })
      k += inputs
      scene.startEmbedder(doomed)
      await scene.warm()
    }
    await scene.admitsMore()
    await trickle.stop()
    await scene.expectAllIsWell(k)
  }
)

test.concurrent('a switch while all is paused: nothing is admitted until it is resumed, then in the new lane', async ({
  expect
}) => {
  await using scene = await SwitchingScene.open(servers)
  const controller = await scene.startController()
  await scene.warm()
  const trickle = scene.trickle()
  await scene.admitsMore()
  const reason = 'the index is being moved'
  await controller.ask('POST', '/v1/pause', z.object({ paused: z.literal(true) }), { reason })
  const { frontiers } = await controller.switch({ target: 'batch' })
  expect((await scene.state()).pause).toMatchObject({ reason })
  const emitted = trickle.documents
  await scene.eventually(() => expect(trickle.documents).toBeGreaterThan(emitted + 40))
  expect(await scene.frontiers()).toEqual(frontiers)
  expect([...((await scene.state()).handoff?.admittedMs.values() ?? [])]).toEqual(Array(4).fill(undefined))

  await controller.ask('POST', '/v1/resume', z.object({ paused: z.literal(false) }), {})
  await scene.admitsMore()
  expect(await scene.partitionsIn('batch')).toEqual([0, 1, 2, 3])
  await trickle.stop()
  await scene.expectAllIsWell()
})
