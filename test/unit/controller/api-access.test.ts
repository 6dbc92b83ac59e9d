import { describe, expect, test } from 'vitest'
import { json, local, serveApi as serve } from '../../support/controller-api.ts'

const token = 'a-token-of-the-test'
const withToken = { ...json, authorization: `Bearer ${token}` }

describe('who may call', () => {
  test.each([
    ['no token', json, 401, 'TOKEN_MISSING'],
    ['another scheme', { ...json, authorization: `Basic ${token}` }, 401, 'TOKEN_MISSING'],
    ['a wrong token', { ...json, authorization: 'Bearer no' }, 401, 'TOKEN_WRONG'],
    ['a longer token', { ...json, authorization: `Bearer ${token}x` }, 401, 'TOKEN_WRONG'],
    ['a form', { ...withToken, 'content-type': 'application/x-www-form-urlencoded' }, 415, 'JSON_ONLY'],
    ['plain text', { ...withToken, 'content-type': 'text/plain' }, 415, 'JSON_ONLY'],
    ['no content type', { ...local, authorization: `Bearer ${token}` }, 415, 'JSON_ONLY'],
    ['a foreign Host', { ...withToken, host: 'evil.example' }, 403, 'FOREIGN_HOST'],
    [
      'a Host that only begins like ours',
      { ...withToken, host: 'localhost.evil.example' },
      403,
      'FOREIGN_HOST'
    ],
    ['a foreign Origin', { ...withToken, origin: 'http://evil.example' }, 403, 'FOREIGN_ORIGIN'],
    ['the null Origin', { ...withToken, origin: 'null' }, 403, 'FOREIGN_ORIGIN'],
    [
      'another port of this computer',
      { ...withToken, origin: 'http://127.0.0.1:9999' },
      403,
      'FOREIGN_ORIGIN'
    ],
    ['a cross-site request', { ...withToken, 'sec-fetch-site': 'cross-site' }, 403, 'FOREIGN_ORIGIN']
  ])('a change with %s is refused and changes nothing', async (_, headers, status, code) => {
    const { api, world } = await serve({ token })
    const response = await api.inject({
      method: 'POST',
      url: '/v1/pause',
      headers,
      payload: '{"reason":"x"}'
    })

    expect(response.statusCode).toBe(status)
    expect(response.headers['content-type']).toContain('application/problem+json')
    expect(response.json()).toMatchObject({
      status,
      code,
      type: expect.stringContaining('urn:pointsman:problem:')
    })
    expect((await world.ledger.state()).pause).toBeUndefined()
  })

  test.each([
    ['the right token', withToken],
    ['localhost as Host', { ...withToken, host: 'localhost:7070' }],
    ['an IPv6 Host', { ...withToken, host: '[::1]:7070' }],
    ['a name that was allowed', { ...withToken, host: 'pointsman.internal' }],
    ['the own Origin', { ...withToken, origin: 'http://127.0.0.1:7070', 'sec-fetch-site': 'same-origin' }]
  ])('a change with %s is done', async (_, headers) => {
    const { api, world } = await serve({ token })
    const response = await api.inject({
      method: 'POST',
      url: '/v1/pause',
      headers,
      payload: '{"reason":"x"}'
    })
    expect(response.statusCode).toBe(200)
    expect((await world.ledger.state()).pause).toMatchObject({ reason: 'x' })
  })

  test('without a token a local change needs none', async () => {
    const { api } = await serve()
    expect(
      (await api.inject({ method: 'POST', url: '/v1/resume', headers: json, payload: '{}' })).statusCode
    ).toBe(200)
  })

  test('reading is free here, and needs the token where others can reach the controller', async () => {
    const here = await serve({ token })
    expect((await here.api.inject({ url: '/v1/status', headers: local })).statusCode).toBe(200)
    const there = await serve({ token, tokenForReading: true })
    expect((await there.api.inject({ url: '/v1/status', headers: local })).statusCode).toBe(401)
    expect((await there.api.inject({ url: '/v1/status', headers: withToken })).statusCode).toBe(200)
    expect((await there.api.inject({ url: '/healthz', headers: local })).statusCode).toBe(200)
  })

  test('a page of another site cannot make us pay for a search', async () => {
    const { api } = await serve()
    const headers = { ...local, 'sec-fetch-site': 'cross-site' }
    expect((await api.inject({ url: '/v1/search?q=x', headers })).statusCode).toBe(403)
  })
})

describe('what is wrong with a request is said as a problem', () => {
  test.each([
    ['POST', '/v1/pause', '{', 400],
    ['POST', '/v1/pause', '', 400],
    ['POST', '/v1/pause', '{"surprise":1}', 422],
    ['POST', '/v1/pause', '{"reason":7}', 422],
    ['POST', '/v1/pause', `{"reason":"${'x'.repeat(2_000_000)}"}`, 413],
    ['POST', '/v1/dead-letters/replay', '{"ids":[]}', 422],
    ['POST', '/v1/dead-letters/replay', '{"ids":["0-99"]}', 404],
    ['POST', '/v1/verify', '{"examples":-1}', 422],
    ['DELETE', '/v1/pause', '{}', 405],
    ['POST', '/v1/nothing', '{}', 404]
  ] as const)('%s %s with a wrong body answers %#', async (method, url, payload, status) => {
    const { api } = await serve()
    const response = await api.inject({ method, url, headers: json, payload })
    expect(response.statusCode).toBe(status)
    expect(response.json()).toMatchObject({ status, title: expect.any(String), code: expect.any(String) })
  })

  test.each(['/v1/search', '/v1/search?q=', '/v1/search?q=a&limit=1000', '/v1/dead-letters?limit=x'])(
    'GET %s is refused',
    async url => {
      const { api } = await serve()
      const response = await api.inject({ url, headers: local })
      expect(response.statusCode).toBe(422)
      expect(response.json().problems).toHaveLength(1)
    }
  )

  test('a part that is away is no error of the caller', async () => {
    const { api, world } = await serve()
    world.log.beginOutage('log')
    world.clock.now += 1000
    const response = await api.inject({ url: '/v1/lag', headers: local })
    expect(response.statusCode).toBe(503)
    expect(response.headers['retry-after']).toBe('1')
    expect(response.json()).toMatchObject({ code: 'LOG_UNAVAILABLE', detail: 'the log does not answer' })
  })

  test('an unforeseen error tells nothing about itself', async () => {
    const { api, world } = await serve()
    world.letters.list = async () => {
      throw new TypeError('secret of the house')
    }
    const response = await api.inject({ url: '/v1/dead-letters', headers: local })
    expect(response.statusCode).toBe(500)
    expect(response.body).not.toContain('secret')
  })
})
