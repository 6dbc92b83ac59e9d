import { setTimeout as pass } from 'node:timers/promises'
import { type Lane, otherLane } from '@pointsman/core/domain/lane'
import { expect, test } from 'vitest'
import { freezeProcess } from '../../tools/stack/freeze-process.ts'
import { injectedServers } from '../support/injected-servers.ts'
import { SwitchingScene } from '../support/switching-scene.ts'

const servers = injectedServers()

/** Frozen at the moment at which it has most to lose: with requests, or with jobs, in flight. */
async function atWork(scene: SwitchingScene, lane: Lane): Promise<void> {
  if (lane === 'batch') return scene.sent(1)
  await scene.eventually(async () => expect(await scene.lane.inputsAtRisk()).toBeGreaterThan(10))
}

async function isAlive(scene: SwitchingScene, lane: Lane): Promise<boolean> {
  const { instances, nowMs } = await scene.lane.ledger.survey()
  return instances.some(
    ({ instance, leaseUntilMs }) => instance === `embedder-${lane}-1` && leaseUntilMs > nowMs
  )
}

const zombies: readonly (readonly [Lane, string, Readonly<Record<string, string>>, number])[] = [
  ['realtime', 'longer than its lease', {}, 0],
  ['batch', 'longer than its lease', {}, 0],
  ['realtime', 'for 60 s', { INSTANCE_LEASE_MS: '10000' }, 60_000]
]

test.concurrent.for(zombies)(
  'frozen across a switch, an embedder of the lane %s, %s: woken, it admits nothing, and it recovers by itself',
  { timeout: 240_000 },
  async ([lane, , env, frozenMs], { expect }) => {
    await using scene = await SwitchingScene.open(servers, { lane, latencyMs: 1_000, env })
    const other = otherLane(lane)
    if (lane === 'batch') await scene.holdJobs()
    const controller = await scene.startController()
    await scene.warm()
    const trickle = scene.trickle()
    await atWork(scene, lane)
    const zombie = scene.embedders[lane][0]
    const heir = scene.embedders[other][0]
    if (zombie === undefined || heir === undefined) return expect.unreachable('no embedder')
    await freezeProcess(zombie.pid)
    const k = await scene.lane.inputsAtRisk()

    await controller.switch({ target: other })
    await scene.admitsMore()
    // How long it is frozen is what is shown here, not something that is waited for.
    await pass(frozenMs)
    await scene.eventually(async () => expect(await isAlive(scene, lane)).toBe(false))
    // From here on nobody but the zombie could admit anything.
    heir.signal('SIGTERM')
    expect(await heir.ended, scene.said).toBe(0)
    const before = await scene.frontiers()
    zombie.signal('SIGCONT')
    const emitted = trickle.documents
    await scene.eventually(async () => expect(await isAlive(scene, lane)).toBe(true))
    await scene.eventually(() => expect(trickle.documents).toBeGreaterThan(emitted + 20))
    expect(await scene.frontiers()).toEqual(before)

    scene.startEmbedder(other)
    await scene.admitsMore()
    await scene.letJobsEnd()
    await scene.warm()
    await controller.switch({ target: lane })
    await scene.admitsMore()
    await trickle.stop()
    await scene.expectAllIsWell(k)
  }
)
