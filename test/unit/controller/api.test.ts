import { describe, expect, test } from 'vitest'
import { lagReport } from '../../../services/controller/src/lag/lag-report.ts'
import { statusReport } from '../../../services/controller/src/status/status-report.ts'
import { json, local, serveApi as serve } from '../../support/controller-api.ts'
import { documentOf } from '../../support/memory-world.ts'

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content?: object }>>
  readonly security?: unknown
}

describe('answers', () => {
  test('status and lag are what they promise', async () => {
    const { api, world } = await serve()
    await world.produce(documentOf('a', 'text'), documentOf('b', 'other text'))
    await world.drain()
    world.clock.now += 1000

    const status = statusReport.parse((await api.inject({ url: '/v1/status', headers: local })).json())
    expect(status).toMatchObject({
      namespace: 'test',
      ledger: { mode: 'realtime', epoch: 1, pause: null },
      index: { objects: 2, unindexed: 0 },
      spend: { paidTokens: 14, necessaryTokens: 14, usd: 14 / 1e6 }
    })
    const lag = lagReport.parse((await api.inject({ url: '/v1/lag', headers: local })).json())
    expect(lag).toMatchObject({ status: 'OK', totals: { unread: 0, outstanding: 0 } })
  })

  test('status answers when everything is away', async () => {
    const { api, world } = await serve()
    world.log.beginOutage('log')
    world.store.setDown(true)
    world.clock.now += 1000
    const response = await api.inject({ url: '/v1/status', headers: local })
    expect(response.statusCode).toBe(200)
    expect(response.json()).toMatchObject({ ready: false, ledger: null, lag: null, index: null })
  })

  test('ready means that all parts answered', async () => {
    const { api, board } = await serve()
    const before = await api.inject({ url: '/readyz', headers: local })
    expect(before.statusCode).toBe(503)
    expect(before.json().reasons).toEqual(['kafka is starting: not asked yet'])
    board.note('kafka', 'ready')
    expect((await api.inject({ url: '/readyz', headers: local })).statusCode).toBe(200)
  })

  test('metrics name the lag of each partition', async () => {
    const { api } = await serve()
    const { body, headers } = await api.inject({ url: '/metrics', headers: local })
    expect(headers['content-type']).toContain('text/plain')
    expect(body).toContain(
      'pointsman_lag_documents{partition="0",lane="realtime",kind="unread",service="controller"} 0'
    )
    expect(body).toContain('pointsman_lag_status{partition="1",status="OK",service="controller"} 1')
    expect(body).toContain('pointsman_jobs{state="submitted",service="controller"} 0')
    expect(body).toContain('pointsman_job_documents_waiting{service="controller"} 0')
    expect(body).toContain('pointsman_job_oldest_seconds{service="controller"} 0')
  })

  test('search finds the document with the text', async () => {
    const { api, world } = await serve()
    await world.produce(documentOf('a', 'points and signals'), documentOf('b', 'sourdough'))
    await world.drain()
    const answer = (await api.inject({ url: '/v1/search?q=sourdough&limit=1', headers: local })).json()
    expect(answer.hits).toMatchObject([{ docId: 'b', text: 'sourdough', score: expect.closeTo(1, 3) }])
  })

  test('dead letters are listed, shown and replayed', async () => {
    const { api, world } = await serve()
    await world.produce(documentOf('a', 'poison'))
    await world.drain(() => 'dead')

    const { letters } = (await api.inject({ url: '/v1/dead-letters', headers: local })).json()
    expect(letters).toMatchObject([{ id: '0-0', docId: 'a', reason: 'planted', attempts: 3 }])
    const shown = (await api.inject({ url: '/v1/dead-letters/0-0', headers: local })).json()
    expect(shown).toMatchObject({ document: { docId: 'a', text: 'poison' }, unreadable: null })
    expect((await api.inject({ url: '/v1/dead-letters/0-7', headers: local })).statusCode).toBe(404)

    const url = '/v1/dead-letters/replay'
    const replayed = await api.inject({ method: 'POST', url, headers: json, payload: '{"all":true}' })
    expect(replayed.json()).toEqual({ replayed: 1, sent: ['0-0'], skipped: [] })
    await world.drain()
    expect([...world.store.objects.values()].map(({ properties }) => properties.docId)).toEqual(['a'])
  })

  test('verify answers at once, or tells its progress line by line', async () => {
    const { api, world } = await serve()
    await world.produce(documentOf('a', 'text'))
    await world.drain()
    const request = { method: 'POST', url: '/v1/verify', payload: '{}' } as const
    expect((await api.inject({ ...request, headers: json })).json()).toMatchObject({
      consistent: true,
      quiet: true
    })

    const headers = { ...json, accept: 'application/x-ndjson' }
    const lines = (await api.inject({ ...request, headers })).body.trim().split('\n')
    const kinds = lines.map(line => JSON.parse(line).kind)
    expect(kinds.at(-1)).toBe('report')
    expect(new Set(kinds.slice(0, -1))).toEqual(new Set(['progress']))
  })

  test('a verify that fails on the way says so in its last line', async () => {
    const { api, world } = await serve()
    world.log.beginOutage('log')
    const headers = { ...json, accept: 'application/x-ndjson' }
    const { body } = await api.inject({ method: 'POST', url: '/v1/verify', headers, payload: '{}' })
    expect(JSON.parse(body.trim().split('\n').at(-1) ?? '')).toMatchObject({
      kind: 'problem',
      code: 'LOG_UNAVAILABLE'
    })
  })

  test('pause and resume tell the state that they leave', async () => {
    const { api } = await serve()
    const paused = await api.inject({
      method: 'POST',
      url: '/v1/pause',
      headers: json,
      payload: '{"reason":"upgrade"}'
    })
    expect(paused.json()).toMatchObject({ paused: true, reason: 'upgrade' })
    const resumed = await api.inject({ method: 'POST', url: '/v1/resume', headers: json, payload: '{}' })
    expect(resumed.json()).toEqual({ paused: false, reason: null, sinceMs: null })
  })

  test('the OpenAPI document describes every call', async () => {
    const { api } = await serve()
    const { paths } = (await api.inject({ url: '/docs/json', headers: local })).json()
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/v1/status',
        '/v1/lag',
        '/v1/search',
        '/v1/doctor',
        '/v1/verify',
        '/v1/pause',
        '/v1/resume',
        '/v1/dead-letters',
        '/v1/dead-letters/{id}',
        '/v1/dead-letters/replay',
        '/v1/jobs',
        '/v1/jobs/{id}',
        '/v1/jobs/{id}/cancel',
        '/v1/jobs/{id}/abandon',
        '/v1/estimate/basis',
        '/v1/estimate/indexed',
        '/v1/switches',
        '/v1/switches/current',
        '/v1/switches/{switchId}',
        '/v1/switches/rollback'
      ])
    )
  })

  test('the OpenAPI document names every way in which a call may be refused, as a problem', async () => {
    const { api } = await serve()
    const { paths } = (await api.inject({ url: '/docs/json', headers: local })).json()
    for (const [path, methods] of Object.entries<Record<string, Operation>>(paths)) {
      for (const [method, { responses, security }] of Object.entries(methods)) {
        if (!path.startsWith('/v1/')) continue
        const always = ['400', '401', '403', '422', '500', '503']
        const wanted = method === 'get' ? always : [...always, '409', '413', '415']
        if (/\{(id|switchId)\}/.test(path)) wanted.push('404')
        expect(Object.keys(responses), `${method} ${path}`).toEqual(expect.arrayContaining(wanted))
        for (const status of wanted) {
          expect(Object.keys(responses[status]?.content ?? {})).toEqual(['application/problem+json'])
        }
        expect(security, `${method} ${path}`).toEqual(method === 'get' ? undefined : [{ token: [] }])
      }
    }
  })

  test('pages carry a content security policy, answers may not be framed or stored', async () => {
    const { api } = await serve()
    const page = await api.inject({ url: '/docs/', headers: local })
    expect(page.statusCode).toBe(200)
    expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self';")
    // Nobody answers there.
    expect(page.headers['content-security-policy']).not.toContain('upgrade-insecure-requests')
    const answer = await api.inject({ url: '/v1/status', headers: local })
    expect(answer.headers).toMatchObject({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store'
    })
  })
})
