import { describe, expect, test } from 'vitest'
import { healthReport } from '../../../services/controller/src/api/health-report.ts'
import { lagReport } from '../../../services/controller/src/lag/lag-report.ts'
import { statusReport } from '../../../services/controller/src/status/status-report.ts'
import { json, local, serveApi, type ServedApi } from '../../support/controller-api.ts'
import { documentOf } from '../../support/memory-world.ts'

const never = new AbortController().signal

async function rebuilding(): Promise<ServedApi> {
  const served = await serveApi()
  const { ledger } = served.world
  await served.world.produce(documentOf('a', 'text a'), documentOf('b', 'text b'))
  await served.world.drain()
  await ledger.distrust((await ledger.state()).ledgerId, 'a copy from the night')
  await ledger.open('realtime')
  await ledger.noteRebuild({ stage: 'index', done: 120, total: 300 })
  served.world.clock.now += 1000
  return served
}

describe('while the ledger is rebuilt', () => {
  test('health, status and lag tell how far it is', async () => {
    const { api, board } = await rebuilding()
    board.note('kafka', 'ready')
    const rebuild = { stage: 'index', done: 120, total: 300, because: 'a copy from the night' }

    const health = healthReport.parse((await api.inject({ url: '/v1/health', headers: local })).json())
    expect(health).toMatchObject({
      status: 'rebuilding',
      reasons: ['the ledger is rebuilt: a copy from the night'],
      rebuild
    })
    const status = statusReport.parse((await api.inject({ url: '/v1/status', headers: local })).json())
    expect(status.ledger).toMatchObject({ phase: 'rebuilding', rebuild })
    const lag = lagReport.parse((await api.inject({ url: '/v1/lag', headers: local })).json())
    expect(lag).toMatchObject({ status: 'REBUILDING', rebuild })
    for (const partition of lag.partitions) {
      expect(partition).toMatchObject({
        status: 'REBUILDING',
        because: 'the ledger is rebuilt (a copy from the night): index 120 of 300'
      })
    }
  })

  test('a repair is refused, since it would mend away what is not known yet', async () => {
    const { api, world } = await rebuilding()
    const payload = '{"repair":true}'
    const answer = await api.inject({ method: 'POST', url: '/v1/verify', headers: json, payload })
    expect(answer.statusCode).toBe(409)
    expect(answer.json()).toMatchObject({
      code: 'LEDGER_REBUILDING',
      detail: expect.stringContaining('pointsman rebuild')
    })
    expect(world.store.objects.size).toBe(2)
  })

  test('to ask for another one begins nothing', async () => {
    const { api, world } = await rebuilding()
    const { ledgerId } = await world.ledger.state()
    const payload = JSON.stringify({ ledgerId: 'of before', reason: 'once more' })
    const answer = await api.inject({ method: 'POST', url: '/v1/ledger/rebuild', headers: json, payload })
    expect(answer.json()).toEqual({ ledgerId, begun: false, because: 'a copy from the night' })
    expect((await world.ledger.state()).ledgerId).toBe(ledgerId)
  })

  test('what was committed stands for the frontier that nobody knows', async () => {
    const { api, world } = await rebuilding()
    const partition = world.log.partitionOf('a')
    const { end } = world.log.bounds(partition)
    world.log.group('test.embedder-batch').committed.set(partition, end)
    const lag = lagReport.parse((await api.inject({ url: '/v1/lag', headers: local })).json())
    expect(lag.partitions.find(found => found.partition === partition)).toMatchObject({
      frontier: Number(end),
      watermark: Number(end),
      unread: 0
    })
  })
})

describe('an operator who distrusts the ledger', () => {
  test('names it, and an empty one takes its place', async () => {
    const { api, world } = await serveApi()
    const { ledgerId } = await world.ledger.state()
    const payload = JSON.stringify({ ledgerId, reason: 'restored by hand' })
    const request = { method: 'POST', url: '/v1/ledger/rebuild', headers: json, payload } as const
    expect((await api.inject(request)).json()).toEqual({ ledgerId, begun: true, because: 'restored by hand' })

    const state = await world.ledger.open('realtime')
    expect(state.ledgerId).not.toBe(ledgerId)
    expect(state.rebuild).toMatchObject({ stage: 'waiting', because: 'restored by hand' })
    expect((await api.inject(request)).json()).toMatchObject({ begun: false })
  })

  test('is refused when it is another one by now', async () => {
    const { api, world } = await serveApi()
    const payload = JSON.stringify({ ledgerId: 'of yesterday', reason: 'no reason' })
    const answer = await api.inject({ method: 'POST', url: '/v1/ledger/rebuild', headers: json, payload })
    expect(answer.statusCode).toBe(409)
    expect(answer.json()).toMatchObject({ code: 'LEDGER_CHANGED' })
    expect((await world.ledger.state()).rebuild).toBeUndefined()
  })
})

describe('health', () => {
  test('is ready when all parts are and the ledger answers', async () => {
    const { api, board, world } = await serveApi()
    const { ledgerId } = await world.ledger.state()
    const ask = async () =>
      healthReport.parse((await api.inject({ url: '/v1/health', headers: local })).json())
    expect(await ask()).toMatchObject({ status: 'degraded', reasons: ['kafka is starting: not asked yet'] })
    board.note('kafka', 'ready')
    expect(await ask()).toMatchObject({ status: 'ready', reasons: [], ledgerId, rebuild: null })
    world.ledgerServer.lose()
    expect(await ask()).toMatchObject({ status: 'degraded', ledgerId: null, rebuild: null })
  })
})

test('verify mends by request, and says what it did', async () => {
  const { api, world } = await serveApi()
  await world.produce(documentOf('a', 'text a'))
  await world.drain()
  await world.store.remove([...world.store.objects.keys()], never)
  const request = { method: 'POST', url: '/v1/verify', headers: json } as const
  const looked = await api.inject({ ...request, payload: '{}' })
  expect(looked.json()).toMatchObject({ consistent: false, repair: null })
  const mended = await api.inject({ ...request, payload: '{"repair":true}' })
  expect(mended.json()).toMatchObject({
    consistent: true,
    repair: { found: { missing: 1 }, requeued: 1, corrected: 1 }
  })
  await world.drain()
  expect((await api.inject({ ...request, payload: '{"repair":true}' })).json()).toMatchObject({
    consistent: true,
    quiet: true,
    repair: null
  })
})
