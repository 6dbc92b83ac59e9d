import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'
import type { LocalOpenaiUnderTest } from '../../support/local-openai-under-test.ts'

const model = 'text-embedding-3-small'
const input = ['one', 'two', 'three']
let server: LocalOpenaiUnderTest

beforeAll(async () => {
  server = await openLocalOpenai()
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(async () => {
  await server.delete('/bill')
  await server.delete('/journal')
})

async function play(rule: object): Promise<void> {
  expect(await server.put('/faults', { rules: [rule] })).toMatchObject({ rules: [rule] })
}

async function failure(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => undefined,
    (error: unknown) => error
  )
}

async function paidRequests(): Promise<unknown> {
  return await server.get('/bill')
}

const unpaid = { realtime: { requests: 0, tokens: 0 } }

describe('a refusal costs nothing and is', () => {
  const embed = (): Promise<unknown> => server.client().embeddings.create({ model, input })

  const refusals: readonly (readonly [string, object, unknown, object, object])[] = [
    [
      '429 with Retry-After',
      { kind: 'rate_limited', retryAfter: 7 },
      OpenAI.RateLimitError,
      { code: 'rate_limit_exceeded', type: 'tokens' },
      { 'retry-after': '7', 'retry-after-ms': '7000' }
    ],
    [
      '429 without Retry-After',
      { kind: 'rate_limited', limitedBy: 'requests' },
      OpenAI.RateLimitError,
      { type: 'requests' },
      { 'retry-after': null }
    ],
    [
      '429 with a date',
      { kind: 'rate_limited', retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT' },
      OpenAI.RateLimitError,
      {},
      { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT', 'retry-after-ms': null }
    ],
    [
      'slow_down',
      { kind: 'slow_down', retryAfter: 0 },
      OpenAI.RateLimitError,
      { code: 'slow_down' },
      { 'retry-after': '0' }
    ],
    [
      'no money',
      { kind: 'insufficient_quota', shouldRetry: false },
      OpenAI.RateLimitError,
      { type: 'insufficient_quota', code: 'insufficient_quota' },
      { 'x-should-retry': 'false', 'retry-after': null }
    ],
    [
      'no credit',
      { kind: 'insufficient_quota', code: 'credit_balance_exhausted' },
      OpenAI.RateLimitError,
      { code: 'credit_balance_exhausted' },
      {}
    ],
    ['500', { kind: 'http_error' }, OpenAI.InternalServerError, { status: 500, type: 'server_error' }, {}],
    [
      '502 in HTML',
      { kind: 'http_error', status: 502, body: 'html' },
      OpenAI.InternalServerError,
      { status: 502, code: undefined },
      { 'content-type': 'text/html; charset=utf-8' }
    ],
    [
      '503, overloaded',
      { kind: 'http_error', status: 503 },
      OpenAI.InternalServerError,
      { code: 'server_is_overloaded' },
      {}
    ],
    [
      '504 without a body',
      { kind: 'http_error', status: 504, body: 'empty' },
      OpenAI.InternalServerError,
      { status: 504 },
      { 'content-length': '0' }
    ],
    ['409', { kind: 'http_error', status: 409 }, OpenAI.ConflictError, {}, {}],
    [
      '403 of one’s own',
      { kind: 'http_error', status: 403, message: 'Country not supported', code: 'unsupported_country' },
      OpenAI.PermissionDeniedError,
      { code: 'unsupported_country', message: '403 Country not supported' },
      {}
    ],
    [
      '401 in the middle of a run',
      { kind: 'unauthorized' },
      OpenAI.AuthenticationError,
      { code: 'invalid_api_key' },
      {}
    ],
    [
      '400 for a poisoned input, which is named',
      { kind: 'poisoned_input', containing: 'two' },
      OpenAI.BadRequestError,
      { param: 'input[1]', message: expect.stringContaining("'input[1]'") },
      {}
    ],
    [
      '400 for a poisoned input, which is not named',
      { kind: 'poisoned_input', containing: 'two', namesInput: false },
      OpenAI.BadRequestError,
      { param: null },
      {}
    ]
  ]
  test.each(refusals)('%s', async (_name, rule, errorClass, fields, headers) => {
    await play(rule)
    const error = await failure(embed())
    expect(error).toBeInstanceOf(errorClass)
    expect(error).toMatchObject(fields)
    const { headers: sent } = await server.post({ model, input })
    const seen = Object.fromEntries(Object.keys(headers).map(name => [name, sent.get(name)]))
    expect(seen).toEqual(headers)
    expect(await paidRequests()).toMatchObject(unpaid)
  })

  test('a poisoned input fails no request without it', async () => {
    await play({ kind: 'poisoned_input', containing: 'POISON' })
    await expect(embed()).resolves.toMatchObject({ object: 'list' })
  })

  test('a connection cut before the work', async () => {
    await play({ kind: 'reset_before' })
    const error = await failure(embed())
    expect(error).toBeInstanceOf(OpenAI.APIConnectionError)
    expect(await paidRequests()).toMatchObject(unpaid)
  })

  test('also played on models', async () => {
    await play({ kind: 'http_error', route: 'models', status: 500 })
    await expect(server.client().models.list()).rejects.toBeInstanceOf(OpenAI.InternalServerError)
    await play({ kind: 'reset_before', route: 'any' })
    await expect(server.client().models.retrieve(model)).rejects.toBeInstanceOf(OpenAI.APIConnectionError)
  })
})

test('the official client retries, and the journal shows which try it was', async () => {
  await play({ kind: 'rate_limited', retryAfter: 0.01, nth: [1, 2] })
  await server.client(2).embeddings.create({ model, input })
  expect(await server.get('/journal')).toMatchObject({
    exchanges: [
      { status: 429, retryCount: 0, paid: false, fault: 'rate_limited' },
      { status: 429, retryCount: 1, paid: false },
      {
        status: 200,
        retryCount: 2,
        paid: true,
        fault: null,
        model,
        inputs: 3,
        tokens: 3,
        route: '/v1/embeddings'
      }
    ]
  })
})

test('a rule that cannot be played is refused with every problem named', async () => {
  const answer = await server.put('/faults', {
    rules: [{ kind: 'explode' }, { kind: 'hang', share: 2 }, { kind: 'shuffled', route: 'models' }]
  })
  expect(answer).toMatchObject({
    error: { message: expect.stringMatching(/rules\.0\.kind.*rules\.1\.share/s) }
  })
})
