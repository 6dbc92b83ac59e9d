// A ledger is lost in the midst of work of both lanes, on real servers, with real processes: a controller rebuilds it from
// what Kafka, Weaviate and the provider still know, and everything ends as if nothing had been.
import { parseEnv } from '@pointsman/core/runtime/env'
import { redisSettings } from '@pointsman/core/runtime/settings'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import type { LedgerState } from '@pointsman/core/ports/ledger'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { startController } from '../support/controller-process.ts'
import { injectedServers } from '../support/injected-servers.ts'
import { auditJobs } from '../support/job-audit.ts'
import { aText, aTombstone } from '../support/memory-lane.ts'
import type { SwitchingController } from '../support/switching-controller.ts'
import { SwitchingScene } from '../support/switching-scene.ts'

const servers = injectedServers()

/** What FLUSHALL does, to one namespace of a server that others use. */
const forget = `
local keys = redis.call('KEYS', ARGV[1])
for from = 1, #keys, 1000 do redis.call('UNLINK', unpack(keys, from, math.min(from + 999, #keys))) end
return #keys`

async function loseLedger(scene: SwitchingScene): Promise<number> {
  const redis = await openRedis(parseEnv(z.object(redisSettings), scene.lane.env), () => undefined)
  try {
    return z.number().parse(await redis.eval(forget, 0, `{${scene.lane.env['POINTSMAN_NAMESPACE']}}*`))
  } finally {
    await closeRedis(redis)
  }
}

/** Waits until admission may go on; the oracle's own handle is on the new ledger from then on. */
async function rebuilt(scene: SwitchingScene): Promise<LedgerState> {
  const { ledger } = scene.lane
  let state = await ledger.open('realtime', 'lost')
  for (; state.rebuild !== undefined; state = await ledger.open('realtime', 'lost')) {
    const { stage } = state.rebuild
    await scene.eventually(async () => {
      const { rebuild } = await ledger.open('realtime', 'lost')
      expect(rebuild?.stage).not.toBe(stage)
    })
  }
  return state
}

/** At most `k` texts are paid for again: those of realtime requests that were on their way. */
async function expectAllEndsWell(scene: SwitchingScene, k: number): Promise<void> {
  await scene.lane.settled()
  await scene.lane.finished()
  const { repeatedPayments, ...found } = await scene.lane.audit()
  expect(found, scene.said).toEqual({ lost: [], duplicates: [], stale: [] })
  expect(repeatedPayments, scene.said).toBeLessThanOrEqual(k)
  expect(await scene.lane.wrong()).toEqual([])
  const { repeatedJobs, strangers } = await auditJobs(scene.lane.provider.client())
  expect({ repeatedJobs, strangers }, scene.said).toEqual({ repeatedJobs: [], strangers: [] })
}

const many = (name: string, count: number, version = 1) =>
  Array.from({ length: count }, (_, index) =>
    aText(`${name}${index}`, version, `${name} ${version} ${index}`)
  )

/** Two partitions in each lane, something indexed, jobs that do not end, and requests that take their time. */
async function inTheMidst(
  faults: readonly object[] = []
): Promise<{ readonly scene: SwitchingScene; readonly controller: SwitchingController }> {
  await using resources = new AsyncDisposableStack()
  const env = { BATCH_MAX_LINES: '60', BATCH_DOUBT_GRACE_MS: '5000' }
  const scene = resources.use(await SwitchingScene.open(servers, { env }))
  const controller = await scene.startController()
  await scene.warm()
  await scene.lane.emit(many('early', 200))
  await scene.lane.settled()
  await controller.switch({ switchId: 'half', target: 'batch', share: 0.5 })
  await scene.holdJobs()
  await scene.lane.provider.put('/faults', { rules: faults })
  await scene.lane.provider.put('/latency', { kind: 'fixed', ms: 4_000 })
  await scene.lane.emit([
    ...many('middle', 400),
    ...many('early', 40, 2),
    ...Array.from({ length: 10 }, (_, index) => aTombstone(`early${100 + index}`, 2)),
    ...Array.from({ length: 40 }, (_, index) => aText(`twin${index}`, 1, `middle 1 ${index}`))
  ])
  await scene.sent(2)
  resources.move()
  return { scene, controller }
}

/** Jobs of the ledger that was lost, in the new one; and then everything goes on to its end. */
async function expectItGoesOn(scene: SwitchingScene, k: number): Promise<void> {
  expect((await scene.manifests('submitted')).length).toBeGreaterThanOrEqual(2)
  await scene.lane.provider.put('/faults', { rules: [] })
  await scene.lane.provider.put('/latency', { kind: 'fixed', ms: 50 })
  await scene.lane.emit(many('late', 100))
  await scene.admitsMore()
  await scene.letJobsEnd()
  await expectAllEndsWell(scene, k)
}

test('a ledger that is lost with requests and jobs under way is rebuilt, and only requests are paid for again', async () => {
  const { scene } = await inTheMidst()
  await using _scene = scene
  const before = await scene.state()
  const k = await scene.lane.inputsAtRisk()
  expect(k).toBeGreaterThan(0)
  expect(await loseLedger(scene)).toBeGreaterThan(10)
  const after = await rebuilt(scene)
  expect(after.epoch).toBeGreaterThan(before.epoch)
  expect(after.ledgerId).not.toBe(before.ledgerId)
  const lanesOf = ({ partitions }: LedgerState) =>
    Object.fromEntries([...partitions].map(([partition, { lane }]) => [partition, lane]))
  expect(lanesOf(after)).toEqual(lanesOf(before))
  await expectItGoesOn(scene, k)
})

test('the provider lists its jobs late, its clock is wrong and it fails every fourth call: no job is made twice', async () => {
  const { scene } = await inTheMidst([{ kind: 'job_hidden', seconds: 3 }])
  await using _scene = scene
  const k = await scene.lane.inputsAtRisk()
  const rules = [{ kind: 'http_error', status: 503, route: 'any', share: 0.25, forMs: 10_000 }]
  await scene.lane.provider.put('/faults', { rules })
  await scene.lane.provider.put('/clock', { skewSeconds: -7_200 })
  await loseLedger(scene)
  await rebuilt(scene)
  await expectItGoesOn(scene, k)
})

test('controllers that die at every step of the rebuild leave nothing that the next one cannot do again', async () => {
  const { controller, scene } = await inTheMidst()
  await using _scene = scene
  const k = await scene.lane.inputsAtRisk()
  await controller.kill()
  await loseLedger(scene)
  for (const step of ['ctl.life', 'ctl.files', 'ctl.index', 'ctl.log', 'ctl.jobs']) {
    const dying = startController({ ...scene.lane.env, POINTSMAN_FAILPOINT: step })
    expect(await dying.ended, `${step}\n${dying.said()}`).toBeNull()
  }
  await using last = startController(scene.lane.env)
  await rebuilt(scene)
  await expectItGoesOn(scene, k)
  expect(last.said()).toContain('the ledger is rebuilt after')
})
