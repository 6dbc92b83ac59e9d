import { describe, expect, test } from 'vitest'
import { json, local, serveApi } from '../../support/controller-api.ts'
import { documentOf } from '../../support/memory-world.ts'

type Api = Awaited<ReturnType<typeof serveApi>>['api']

// Nobody embeds here: the standby lane is never ready.
const toBatch = { target: 'batch', evenIfUnready: true, actor: 'tester', reason: 'cheaper' }

async function post(api: Api, url: string, payload: object) {
  return await api.inject({ method: 'POST', url, headers: json, payload: JSON.stringify(payload) })
}

async function abort(api: Api) {
  const payload = JSON.stringify({ actor: 'tester' })
  return await api.inject({ method: 'DELETE', url: '/v1/switches/current', headers: json, payload })
}

describe('switching by REST', () => {
  test('a switch is answered when it is made, and history tells of it', async () => {
    const { api, world } = await serveApi()
    const made = await post(api, '/v1/switches', { ...toBatch, switchId: 'one' })
    expect(made.statusCode).toBe(200)
    expect(made.json()).toMatchObject({
      switchId: 'one',
      state: 'completed',
      target: 'batch',
      strategy: 'detach',
      partitions: [0, 1],
      actor: 'tester',
      reason: 'cheaper'
    })
    const { epoch, defaultLane } = await world.ledger.state()
    expect({ epoch, defaultLane }).toEqual({ epoch: made.json().epoch, defaultLane: 'batch' })

    const history = await api.inject({ url: '/v1/switches', headers: local })
    expect(history.json()).toMatchObject({ epoch, current: null, switches: [{ switchId: 'one' }] })
    const one = await api.inject({ url: '/v1/switches/one', headers: local })
    expect(one.json()).toEqual(made.json())
  })

  test('what is so already is answered, and nothing is recorded', async () => {
    const { api } = await serveApi()
    const answer = await post(api, '/v1/switches', { ...toBatch, target: 'realtime' })
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toMatchObject({ state: 'unchanged' })
    const history = await api.inject({ url: '/v1/switches?limit=5', headers: local })
    expect(history.json().switches).toEqual([])
  })

  test('repeated with its id it is answered alike, and the epoch stays', async () => {
    const { api, world } = await serveApi()
    const first = await post(api, '/v1/switches', { ...toBatch, switchId: 'one' })
    const { epoch } = await world.ledger.state()
    const again = await post(api, '/v1/switches', { ...toBatch, switchId: 'one' })
    expect(again.json()).toEqual(first.json())
    expect((await world.ledger.state()).epoch).toBe(epoch)

    const other = await post(api, '/v1/switches', { ...toBatch, switchId: 'one', strategy: 'force' })
    expect(other.statusCode).toBe(409)
    expect(other.json()).toMatchObject({ code: 'SWITCH_ID_REUSED', status: 409 })
    expect((await world.ledger.state()).epoch).toBe(epoch)
  })

  test.each([
    [{ target: 'batch' }, 'STANDBY_NOT_READY'],
    [{ ...toBatch, expectedEpoch: 99 }, 'EPOCH_CHANGED'],
    [{ ...toBatch, strategy: 'force', share: 0.5 }, 'FORCE_NEEDS_ALL']
  ])('%j is refused with %s', async (wish, code) => {
    const { api, world } = await serveApi()
    const before = await world.ledger.state()
    const refused = await post(api, '/v1/switches', wish)
    expect(refused.statusCode).toBe(409)
    expect(refused.headers['content-type']).toContain('application/problem+json')
    expect(refused.json()).toMatchObject({ code, detail: expect.any(String) })
    expect(await world.ledger.state()).toEqual(before)
  })

  test('a switch that drains is current until it is aborted, and the old lanes go on', async () => {
    const { api, world } = await serveApi()
    await world.produce(documentOf('a', 'text'))
    await world.drain(() => 'open')
    const begun = await post(api, '/v1/switches', { ...toBatch, strategy: 'drain', switchId: 'slow' })
    expect(begun.statusCode).toBe(202)
    expect(begun.json()).toMatchObject({ state: 'draining', left: { requests: 1, documents: 1 } })
    const current = await api.inject({ url: '/v1/switches/current', headers: local })
    expect(current.json()).toMatchObject({ switchId: 'slow', state: 'draining' })
    const second = await post(api, '/v1/switches', toBatch)
    expect(second.json()).toMatchObject({ code: 'SWITCH_UNDER_WAY' })

    const aborted = await abort(api)
    expect(aborted.statusCode).toBe(200)
    expect(aborted.json()).toMatchObject({ switchId: 'slow', state: 'aborted' })
    expect(await world.ledger.state()).toMatchObject({
      epoch: 1,
      draining: undefined,
      defaultLane: 'realtime'
    })
    expect((await api.inject({ url: '/v1/switches/current', headers: local })).statusCode).toBe(404)
    expect((await abort(api)).json()).toMatchObject({ code: 'NOTHING_TO_ABORT' })
  })

  test('rollback takes the last switch back', async () => {
    const { api, world } = await serveApi()
    expect((await post(api, '/v1/switches/rollback', {})).json()).toMatchObject({
      code: 'NOTHING_TO_ROLL_BACK'
    })
    await post(api, '/v1/switches', toBatch)
    const back = await post(api, '/v1/switches/rollback', { reason: 'too slow', evenIfUnready: true })
    expect(back.json()).toMatchObject({ state: 'completed', target: 'realtime', reason: 'too slow' })
    expect((await world.ledger.state()).defaultLane).toBe('realtime')
  })

  test.each([
    ['/v1/switches/nothing-here', 404, 'NO_SUCH_SWITCH'],
    ['/v1/switches/current', 404, 'NO_SWITCH'],
    ['/v1/switches/%20', 404, 'NO_SUCH_SWITCH'],
    ['/v1/switches?limit=-1', 422, 'INVALID']
  ])('GET %s is %i', async (url, status, code) => {
    const { api } = await serveApi()
    const answer = await api.inject({ url, headers: local })
    expect(answer.statusCode).toBe(status)
    expect(answer.json()).toMatchObject({ code })
  })

  test('a control log that was cut is told, and the ledger is left alone', async () => {
    const { api, world } = await serveApi()
    await post(api, '/v1/switches', toBatch)
    world.control.truncate(0n)
    const refused = await post(api, '/v1/switches', { ...toBatch, target: 'realtime' })
    expect(refused.statusCode).toBe(503)
    expect(refused.json()).toMatchObject({ code: 'CONTROL_LOG_CUT' })
    expect((await world.ledger.state()).defaultLane).toBe('batch')
  })
})
