import { test } from 'vitest'
import { z } from 'zod'
import { abandonment, jobList } from '../../services/controller/src/jobs/job-report.ts'
import { injectedServers } from '../support/injected-servers.ts'
import { SwitchingScene } from '../support/switching-scene.ts'
import { roundOf } from '../support/switching-traffic.ts'

const servers = injectedServers()
const all = [0, 1, 2, 3]
const spent = z.object({ inputs: z.number() })
const billSchema = z.object({ realtime: spent, batch: spent })
const truth = z.object({ jobs: z.array(z.object({ lines: z.object({ completed: z.number() }) })) })

/** A batch lane with jobs that run until they are let end, and documents that keep coming. */
async function withJobs(): Promise<SwitchingScene> {
  const scene = await SwitchingScene.open(servers, { lane: 'batch' })
  await scene.holdJobs()
  await scene.warm()
  return scene
}

test.concurrent('detach: jobs go on, and are harvested while the realtime lane admits', async ({
  expect
}) => {
  await using scene = await withJobs()
  const controller = await scene.startController()
  const trickle = scene.trickle()
  await scene.sent(2)
  const { state } = await controller.switch({ target: 'realtime' })
  expect(state).toBe('completed')
  await scene.admitsMore()
  const running = await scene.manifests('submitted')
  expect(running.length).toBeGreaterThanOrEqual(2)
  const { indexed } = (await scene.lane.ledger.survey()).counts

  await scene.letJobsEnd()
  await scene.eventually(async () => expect(await scene.manifests()).toEqual([]))
  expect(await scene.partitionsIn('realtime')).toEqual(all)
  expect((await scene.lane.ledger.survey()).counts.indexed).toBeGreaterThan(indexed)
  await trickle.stop()
  await scene.expectAllIsWell()
})

test.concurrent('drain: nothing is admitted until the jobs have ended, then the lanes are switched', async ({
  expect
}) => {
  await using scene = await withJobs()
  const controller = await scene.startController()
  const trickle = scene.trickle()
  await scene.sent(2)
  const { switchId, state, left } = await controller.switch({ target: 'realtime', strategy: 'drain' })
  expect(state).toBe('draining')
  expect(left?.jobs).toBeGreaterThanOrEqual(2)
  const before = await scene.frontiers()
  const emitted = trickle.documents
  await scene.eventually(() => expect(trickle.documents).toBeGreaterThan(emitted + 40))
  expect(await controller.find(switchId)).toMatchObject({ state: 'draining' })
  expect(await scene.partitionsIn('batch')).toEqual(all)

  await scene.letJobsEnd()
  await scene.eventually(async () =>
    expect(await controller.find(switchId)).toMatchObject({ state: 'completed', frontiers: before })
  )
  await scene.admitsMore()
  expect(await scene.partitionsIn('realtime')).toEqual(all)
  await trickle.stop()
  await scene.expectAllIsWell()
})

test.concurrent.for(['its deadline passes', 'it is aborted by order'] as const)(
  'a drain that %s: the old lane goes on, and the next switch is made',
  async (how, { expect }) => {
    await using scene = await withJobs()
    const controller = await scene.startController()
    const trickle = scene.trickle()
    await scene.sent(1)
    const { epoch } = await scene.state()
    const isOrdered = how === 'it is aborted by order'
    const { switchId, state } = await controller.switch({
      target: 'realtime',
      strategy: 'drain',
      deadlineMs: isOrdered ? 600_000 : 5_000
    })
    expect(state).toBe('draining')
    if (isOrdered) expect(await controller.abort()).toMatchObject({ switchId, state: 'aborted' })
    await scene.eventually(async () =>
      expect(await controller.find(switchId)).toMatchObject({ state: 'aborted' })
    )
    expect(await scene.state()).toMatchObject({ epoch, draining: undefined })
    expect(await scene.partitionsIn('batch')).toEqual(all)
    await scene.admitsMore()

    expect(await controller.switch({ target: 'realtime' })).toMatchObject({ state: 'completed' })
    await scene.letJobsEnd()
    await trickle.stop()
    await scene.expectAllIsWell()
  }
)

test.concurrent('force: jobs are cancelled, what they have finished is kept, the rest is paid for in realtime', async ({
  expect
}) => {
  await using scene = await SwitchingScene.open(servers, { lane: 'batch' })
  await scene.lane.provider.put('/faults', { rules: [{ kind: 'job_stuck', done: 0.5 }] })
  const controller = await scene.startController()
  await scene.warm()
  const trickle = scene.trickle()
  await scene.eventually(async () => {
    const { jobs } = truth.parse(await scene.lane.provider.get('/jobs'))
    expect(jobs.filter(({ lines }) => lines.completed > 0).length).toBeGreaterThanOrEqual(2)
  })
  const { cancelled, state } = await controller.switch({ target: 'realtime', strategy: 'force' })
  expect(state).toBe('completed')
  expect(cancelled).toBeGreaterThanOrEqual(2)
  await scene.admitsMore()
  await scene.eventually(async () => expect(await scene.manifests()).toEqual([]))
  await trickle.stop()
  await scene.expectAllIsWell()
  const { batch, realtime } = billSchema.parse(await scene.lane.provider.get('/bill'))
  expect(batch.inputs).toBeGreaterThan(0)
  expect(realtime.inputs).toBeGreaterThan(batch.inputs)
})

test.concurrent('a share, then all, then back: partitions move one by one, and both lanes admit at once', async ({
  expect
}) => {
  await using scene = await SwitchingScene.open(servers)
  const controller = await scene.startController()
  await scene.warm()
  const trickle = scene.trickle()
  await scene.admitsMore()
  expect(await controller.switch({ target: 'batch', share: 0.5 })).toMatchObject({ partitions: [0, 1] })
  const before = await scene.frontiers()
  await scene.eventually(async () => {
    for (const [partition, frontier] of Object.entries(await scene.frontiers())) {
      expect(frontier, `partition ${partition}`).toBeGreaterThan(before[partition] ?? 0)
    }
  })
  expect(await scene.partitionsIn('batch')).toEqual([0, 1])
  expect(await controller.switch({ target: 'batch' })).toMatchObject({ partitions: [2, 3] })
  await scene.admitsMore()
  expect(await scene.partitionsIn('batch')).toEqual(all)
  expect(await controller.rollback()).toMatchObject({ state: 'completed', partitions: [2, 3] })
  expect(await scene.partitionsIn('batch')).toEqual([0, 1])
  expect(await controller.switch({ target: 'batch', share: 0.5 })).toMatchObject({ state: 'unchanged' })
  expect(await controller.switch({ target: 'realtime' })).toMatchObject({ partitions: [0, 1] })
  await scene.admitsMore()
  await trickle.stop()
  await scene.expectAllIsWell()
})

test.concurrent('a job that never ends is told to be stale, and is given up at the price that was told', async ({
  expect
}) => {
  await using scene = await SwitchingScene.open(servers, { lane: 'batch' })
  await scene.lane.provider.put('/faults', { rules: [{ kind: 'job_stuck', at: 'finalizing', nth: 1 }] })
  // Of the controller alone: the embedder would cancel it, which this job outlives too.
  const controller = await scene.startController({ BATCH_JOB_DEADLINE_HOURS: '0.0003' })
  await scene.warm()
  await scene.lane.emit([...roundOf(0), ...roundOf(1)])
  await scene.sent(1)
  await controller.switch({ target: 'realtime' })
  await scene.eventually(async () => {
    const { live } = await controller.ask('GET', '/v1/jobs', jobList)
    expect(live).toMatchObject([{ state: 'submitted', stale: true }])
  })
  const { live } = await controller.ask('GET', '/v1/jobs', jobList)
  const id = live[0]?.id ?? ''
  expect(live[0]?.ageMs).toBeGreaterThan(0)
  const abandon = (confirm: boolean) =>
    controller.ask('POST', `/v1/jobs/${id}/abandon`, abandonment, { confirm })
  const { ordered, texts } = await abandon(false)
  expect(ordered).toBe(false)
  expect(await abandon(true)).toMatchObject({ ordered: true, texts })
  await scene.expectAllIsWell(texts)
  expect((await scene.lane.audit()).repeatedPayments).toBe(texts)
})
