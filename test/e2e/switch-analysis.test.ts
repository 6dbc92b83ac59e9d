import { expect, test } from 'vitest'
import { analysisReport } from '../../services/controller/src/switching/analysis/analysis-report.ts'
import { injectedServers } from '../support/injected-servers.ts'
import { SwitchingScene } from '../support/switching-scene.ts'

test('what an analysis foretells of a forced switch comes true, and to ask changes nothing', async () => {
  await using scene = await SwitchingScene.open(injectedServers(), { lane: 'batch' })
  await scene.holdJobs()
  const controller = await scene.startController()
  await scene.warm()
  const trickle = scene.trickle()
  await scene.sent(2)
  await trickle.stop()
  // From now on the figures stand still: all that was emitted is in jobs at the provider.
  await scene.eventually(async () => {
    const states = (await scene.manifests()).map(({ state }) => state)
    expect(new Set(states)).toEqual(new Set(['submitted']))
    expect(await controller.ask('GET', '/v1/analysis/realtime', analysisReport)).toMatchObject({
      backlog: { documents: 0 },
      standby: { ready: true, reasons: [] },
      otherLane: { ready: true }
    })
  })
  const before = await scene.state()

  const report = await controller.ask('GET', '/v1/analysis/realtime?strategy=force', analysisReport)
  const [detach, drain, force] = report.strategies
  const jobs = (await scene.manifests()).map(({ id }) => id).toSorted()
  expect(report).toMatchObject({ epoch: before.epoch, partitions: { moving: [0, 1, 2, 3], staying: [] } })
  expect(report.strategies.map(({ possible }) => possible)).toEqual([true, true, true])
  expect(detach?.goingOn.jobs.toSorted()).toEqual(jobs)
  expect(drain?.waitedFor.jobs.toSorted()).toEqual(jobs)
  expect(drain?.cut).toMatchObject({ expectedMs: null, beforeDeadline: null })
  expect(report.warnings.map(({ code }) => code)).toContain('DRAIN_TOO_LONG')
  expect(report.recommendation).toMatchObject({
    strategy: 'detach',
    reason: expect.stringContaining('force')
  })
  expect(await scene.state()).toEqual(before)
  expect(await scene.intents()).toEqual([])

  const done = await controller.switch({ target: 'realtime', strategy: 'force' })
  expect(done).toMatchObject({ state: 'completed', partitions: report.partitions.moving })
  expect(done.cancelled).toBe(force?.cancelled.jobs.length)
  expect(done.released).toBe(force?.released.documents)
  const { expectedMs } = force?.cut ?? {}
  expect(done.tookMs).toBeLessThan(expectedMs ?? 0)
  await scene.letJobsEnd()
  await scene.expectAllIsWell()
})
