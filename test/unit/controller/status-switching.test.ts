import { namesOf } from '@pointsman/core/runtime/names'
import { expect, test } from 'vitest'
import { renderStatus } from '../../../services/controller/src/cli/render-status.ts'
import { type StatusReport, statusReport } from '../../../services/controller/src/status/status-report.ts'
import { local, serveApi, type ServedApi } from '../../support/controller-api.ts'
import { documentOf } from '../../support/memory-world.ts'

const plain = { paint: (_: unknown, text: string) => text }

/** An instance of the lane that lives and has joined its group. */
async function start(lane: 'realtime' | 'batch', { world }: ServedApi, trouble = ''): Promise<void> {
  const service = `embedder-${lane}`
  const { owner } = await world.ledger.register({ instance: `${service}-1`, service, leaseMs: 60_000 })
  await world.ledger.renew(owner, 60_000, trouble)
  const member = { instance: service, assign: () => undefined, suspend: () => undefined }
  world.log.group(namesOf('test').groups[lane]).join(member)
}

async function statusOf({ api }: ServedApi): Promise<StatusReport> {
  return statusReport.parse((await api.inject({ url: '/v1/status', headers: local })).json())
}

async function switchTo(lane: 'realtime' | 'batch', partitions: readonly number[], { world }: ServedApi) {
  const { epoch } = await world.ledger.state()
  await world.ledger.switchLanes({
    expectedEpoch: epoch,
    epoch: epoch + 1,
    lanes: new Map(partitions.map(partition => [partition, lane])),
    defaultLane: 'realtime',
    release: 'open'
  })
}

test('a standby that is not ready is named with the remedy', async () => {
  const served = await serveApi()
  const status = await statusOf(served)
  expect(status.standby).toMatchObject([{ lane: 'batch', ready: false }])
  const text = renderStatus(status, plain)
  expect(text).toMatch(/\nstandby +batch is not ready: no embedder-batch is alive: start one/)
})

test('a standby that is warm is ready', async () => {
  const served = await serveApi()
  await start('batch', served)
  const status = await statusOf(served)
  expect(status.standby).toMatchObject([{ lane: 'batch', ready: true, reasons: [] }])
  expect(renderStatus(status, plain)).toMatch(/\nstandby +batch is ready\n/)
})

test('the standby is the lane that a switch could go to: the other one, or both when they share', async () => {
  const served = await serveApi()
  const lanes = async () => (await statusOf(served)).standby.map(({ lane }) => lane)
  await switchTo('batch', [0], served)
  expect(await lanes()).toEqual(['realtime', 'batch'])
  await switchTo('batch', [1], served)
  expect(await lanes()).toEqual(['realtime'])
})

test('an instance that cannot work says why', async () => {
  const served = await serveApi()
  await start('realtime', served, 'provider: closed: no quota')
  const status = await statusOf(served)
  expect(status.instances).toContainEqual(
    expect.objectContaining({ instance: 'embedder-realtime-1', trouble: 'provider: closed: no quota' })
  )
  expect(renderStatus(status, plain)).toMatch(/\ntrouble +embedder-realtime-1 {2}provider: closed: no quota/)
})

test('a switch that drains is told with its epoch and what is left, and throttles', async () => {
  const served = await serveApi()
  const { world } = served
  await start('realtime', served)
  await world.produce(documentOf('a', 'text'))
  await world.drain(() => 'open')
  await world.ledger.drain({ expectedEpoch: 1, epoch: 7 })
  const status = await statusOf(served)
  expect(status).toMatchObject({
    ledger: { phase: 'draining' },
    lag: { status: 'THROTTLED', draining: { epoch: 7, left: { requests: 1, jobs: 0, documents: 1 } } }
  })
  expect(renderStatus(status, plain)).toMatch(
    /\nswitch +epoch 7 waits since .* UTC for 1 requests and 0 jobs with 1 documents/
  )
})
