// What must be refused, asked of every call that changes or pays: the list is that of the OpenAPI document, so a new
// call cannot be forgotten. After each refusal, ledger and control log are as they were.
import { connect } from 'node:net'
import { once } from 'node:events'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { json, local, serveApi, type ServedApi } from '../../support/controller-api.ts'

const token = 'a-token-of-the-test'
const trusted = { ...json, authorization: `Bearer ${token}` }
const never = new AbortController().signal

type Method = 'DELETE' | 'GET' | 'HEAD' | 'OPTIONS' | 'PATCH' | 'POST' | 'PUT'

interface Call {
  readonly method: Method
  readonly url: string
  /** That it would take. */
  readonly body: object
}

/** Bodies that would be accepted, where an empty one is not. */
const bodies: Readonly<Record<string, object>> = {
  'POST /v1/dead-letters/replay': { all: true },
  'POST /v1/estimate/indexed': { textHashes: ['0'.repeat(64)] },
  'POST /v1/ledger/rebuild': { ledgerId: 'x', reason: 'a test' },
  'POST /v1/switches': { target: 'batch', evenIfUnready: true }
}

const served: FastifyInstance[] = []
afterEach(async () => {
  for (const api of served.splice(0)) await api.close()
})

async function serve(): Promise<ServedApi> {
  const made = await serveApi({ token })
  served.push(made.api)
  return made
}

async function callsOf(api: FastifyInstance): Promise<readonly Call[]> {
  const { paths } = (await api.inject({ url: '/docs/json', headers: local })).json()
  return Object.entries<object>(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map(name => {
      const method = name.toUpperCase() as Method
      return { method, url: path.replaceAll(/\{\w+\}/g, 'x'), body: bodies[`${method} ${path}`] ?? {} }
    })
  )
}

async function changesOf(api: FastifyInstance): Promise<readonly Call[]> {
  const changes = (await callsOf(api)).filter(({ method }) => method !== 'GET')
  expect(changes.length).toBeGreaterThanOrEqual(10)
  return changes
}

/** All that a change would leave behind. */
async function stateOf({ world }: ServedApi) {
  const [state, survey, log] = await Promise.all([
    world.ledger.state(),
    world.ledger.survey(),
    world.control.read(0n, never)
  ])
  return { state, obligations: survey.obligations, counts: survey.counts, log, letters: world.log.letters }
}

describe('every change', () => {
  test.each<[string, Partial<InjectOptions>, number, string]>([
    ['no token', { headers: json }, 401, 'TOKEN_MISSING'],
    ['a wrong token', { headers: { ...json, authorization: 'Bearer wrong' } }, 401, 'TOKEN_WRONG'],
    [
      'a name that was bound anew to us',
      { headers: { ...trusted, host: 'rebound.example' } },
      403,
      'FOREIGN_HOST'
    ],
    ['a Host that is none', { headers: { ...trusted, host: '@:7070' } }, 403, 'FOREIGN_HOST'],
    ['a foreign Origin', { headers: { ...trusted, origin: 'https://evil.example' } }, 403, 'FOREIGN_ORIGIN'],
    ['a sandboxed page', { headers: { ...trusted, origin: 'null' } }, 403, 'FOREIGN_ORIGIN'],
    ['a cross-site call', { headers: { ...trusted, 'sec-fetch-site': 'cross-site' } }, 403, 'FOREIGN_ORIGIN'],
    [
      'a call of a sibling site',
      { headers: { ...trusted, 'sec-fetch-site': 'same-site' } },
      403,
      'FOREIGN_ORIGIN'
    ],
    [
      'the form of a foreign page',
      {
        headers: {
          ...local,
          origin: 'https://evil.example',
          'content-type': 'application/x-www-form-urlencoded'
        },
        payload: 'target=batch&evenIfUnready=true'
      },
      403,
      'FOREIGN_ORIGIN'
    ],
    [
      'a form',
      { headers: { ...trusted, 'content-type': 'multipart/form-data; boundary=x' } },
      415,
      'JSON_ONLY'
    ],
    [
      'JSON that says it is text',
      { headers: { ...trusted, 'content-type': 'text/plain' } },
      415,
      'JSON_ONLY'
    ],
    [
      'JSON of another name',
      { headers: { ...trusted, 'content-type': 'application/jsonp' } },
      415,
      'JSON_ONLY'
    ],
    ['a body of two megabytes', { payload: `{"reason":"${'x'.repeat(2_000_000)}"}` }, 413, 'BAD_REQUEST'],
    ['half a body', { payload: '{"target":' }, 400, 'BAD_REQUEST'],
    ['no body', { payload: '' }, 400, 'BAD_REQUEST'],
    ['__proto__', { payload: '{"__proto__":{"dryRun":true}}' }, 400, 'BAD_REQUEST'],
    ['constructor.prototype', { payload: '{"constructor":{"prototype":{"a":1}}}' }, 400, 'BAD_REQUEST'],
    ['a list for a body', { payload: '[]' }, 422, 'INVALID'],
    ['null for a body', { payload: 'null' }, 422, 'INVALID'],
    ['a field that nobody knows', { payload: '{"surprise":1}' }, 422, 'INVALID']
  ])('with %s is refused and changes nothing', async (_, given, status, code) => {
    const made = await serve()
    const before = await stateOf(made)
    for (const { method, url, body } of await changesOf(made.api)) {
      const asked = { method, url, headers: trusted, payload: JSON.stringify(body), ...given }
      const response = await made.api.inject(asked)
      const call = `${method} ${url}`
      expect([call, response.statusCode, response.json().code]).toEqual([call, status, code])
      expect(response.headers['content-type']).toContain('application/problem+json')
      expect(await stateOf(made)).toEqual(before)
    }
    expect({}).not.toHaveProperty('dryRun')
  })

  test('is known to this test: with all that it needs, it is carried out or says what is not there', async () => {
    const { api } = await serve()
    for (const { method, url, body } of await changesOf(api)) {
      const response = await api.inject({ method, url, headers: trusted, payload: JSON.stringify(body) })
      expect([200, 202, 404, 409], `${method} ${url}`).toContain(response.statusCode)
    }
  })
})

describe('methods', () => {
  test('a method that a path does not know is 405 and names those it knows, whoever asks', async () => {
    const made = await serve()
    const before = await stateOf(made)
    const calls = await callsOf(made.api)
    const methods: readonly Method[] = ['DELETE', 'OPTIONS', 'PATCH', 'POST', 'PUT']
    for (const { url } of calls) {
      const known = new Set(calls.filter(call => call.url === url).map(({ method }) => method))
      if (known.has('GET')) known.add('HEAD')
      for (const method of methods.filter(one => !known.has(one))) {
        const response = await made.api.inject({ method, url, headers: local })
        expect([`${method} ${url}`, response.statusCode]).toEqual([`${method} ${url}`, 405])
        expect(response.json()).toMatchObject({ code: 'NO_SUCH_METHOD' })
        expect(String(response.headers.allow).split(', ')).toEqual([...known].toSorted())
      }
    }
    expect(await stateOf(made)).toEqual(before)
  })

  test('a change cannot be asked for by GET or HEAD', async () => {
    const made = await serve()
    const before = await stateOf(made)
    for (const { url } of await changesOf(made.api)) {
      for (const method of ['GET', 'HEAD'] as const) {
        const response = await made.api.inject({ method, url, headers: local })
        expect([404, 405, 422, 200], `${method} ${url}`).toContain(response.statusCode)
      }
    }
    expect(await stateOf(made)).toEqual(before)
  })
})

describe('a switch that is asked for again', () => {
  const wish = { target: 'batch', evenIfUnready: true, switchId: 'replayed' }

  async function ask({ api }: ServedApi, body: object) {
    return await api.inject({
      method: 'POST',
      url: '/v1/switches',
      headers: trusted,
      payload: JSON.stringify(body)
    })
  }

  test('a hundred times over is one switch', async () => {
    const made = await serve()
    const first = await ask(made, wish)
    const before = await stateOf(made)
    const again = await Promise.all(Array.from({ length: 100 }, () => ask(made, wish)))
    for (const response of again) expect(response.json()).toEqual(first.json())
    expect(await stateOf(made)).toEqual(before)
  })

  test.each([{ target: 'realtime' }, { strategy: 'drain' }, { share: 0.5 }])(
    'with its id and %j is refused',
    async other => {
      const made = await serve()
      await ask(made, wish)
      const before = await stateOf(made)
      const response = await ask(made, { ...wish, ...other })
      expect(response.statusCode).toBe(409)
      expect(response.json()).toMatchObject({ code: 'SWITCH_ID_REUSED' })
      expect(await stateOf(made)).toEqual(before)
    }
  )
})

describe('what is hardly HTTP', () => {
  test.each([
    ['TRACE /v1/pause HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 405],
    ['POST /v1/pause HTTP/1.1\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}', 403],
    ['GET /v1/status HTTP/1.1\r\nHost:\r\n\r\n', 403],
    ['GET /v1/%zz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400],
    ['GET /v1/dead-letters/%c3%28 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400],
    ['HELLO\r\n\r\n', 400],
    ['BREW /v1/pause HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400],
    [`GET /v1/lag HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(200_000)}\r\n\r\n`, 431],
    ['GET /v1/switches/.. HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 404],
    ['GET //v1/pause HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 404]
  ])('%j is answered by a problem', async (request, status) => {
    const made = await serve()
    const before = await stateOf(made)
    const { port } = new URL(await made.api.listen({ host: '127.0.0.1', port: 0 }))
    const answer = await send(Number(port), request)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer.toLowerCase()).toContain('content-type: application/problem+json')
    const told = JSON.parse(answer.slice(answer.indexOf('{')))
    expect(told).toMatchObject({ status, code: expect.any(String), title: expect.any(String) })
    expect(await stateOf(made)).toEqual(before)
  })
})

async function send(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', (piece: string) => {
    answer += piece
    if (answer.trimEnd().endsWith('}')) socket.end()
  })
  socket.on('error', () => undefined)
  socket.write(text)
  await once(socket, 'close')
  return answer
}
