import { goDuration } from '@pointsman/local-openai/go-duration'
import { limitsSchema, unlimited } from '@pointsman/local-openai/limits'
import { RateLimiter } from '@pointsman/local-openai/rate-limiter'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'

const model = 'text-embedding-3-small'
const startMs = 1_000_000

function limiter(limits: object): RateLimiter {
  return new RateLimiter({ ...unlimited, ...limits })
}

/** The refusal, or undefined when it was let in. */
function refusal(limits: RateLimiter, tokens: number, nowMs: number): unknown {
  try {
    limits.admit(model, tokens, nowMs)
    return undefined
  } catch (error) {
    return error
  }
}

test.each([
  [0, '0s'],
  [0.4, '0s'],
  [12, '12ms'],
  [2812.74, '2.812s'],
  [60_000, '1m0s'],
  [360_000, '6m0s'],
  [86_399_500, '23h59m59.5s']
])('%f ms read %s', (ms, text) => {
  expect(goDuration(ms)).toBe(text)
})

describe('tokens per minute', () => {
  test('are refused with the wait that OpenAI names, to the millisecond', () => {
    const limits = limiter({ tokensPerMinute: 1_000_000 })
    limits.admit(model, 976_163, startMs)
    expect(refusal(limits, 70_716, startMs)).toMatchObject({
      status: 429,
      body: {
        error: {
          message:
            'Rate limit reached for text-embedding-3-small in organization org-local on tokens per min (TPM): Limit 1000000, Used 976163, Requested 70716. Please try again in 2.812s. Visit https://platform.openai.com/account/rate-limits to learn more.',
          type: 'tokens',
          code: 'rate_limit_exceeded',
          param: null
        }
      },
      headers: { 'retry-after': '3', 'retry-after-ms': '2813' }
    })
  })

  test('are granted to whoever waited as told, and not a millisecond earlier', () => {
    const limits = limiter({ tokensPerMinute: 1_000_000 })
    limits.admit(model, 976_163, startMs)
    expect(refusal(limits, 70_716, startMs + 2812)).toBeDefined()
    expect(refusal(limits, 70_716, startMs + 2813)).toBeUndefined()
  })

  test('refill continuously and are told in the headers', () => {
    const limits = limiter({ requestsPerMinute: 3000, tokensPerMinute: 60_000 })
    expect(limits.admit(model, 6000, startMs)).toEqual({
      'x-ratelimit-limit-requests': '3000',
      'x-ratelimit-remaining-requests': '2999',
      'x-ratelimit-reset-requests': '20ms',
      'x-ratelimit-limit-tokens': '60000',
      'x-ratelimit-remaining-tokens': '54000',
      'x-ratelimit-reset-tokens': '6s'
    })
    expect(limits.admit(model, 1000, startMs + 5000)).toMatchObject({
      'x-ratelimit-remaining-tokens': '58000',
      'x-ratelimit-reset-tokens': '2s'
    })
  })

  test('can never suffice for a request larger than a minute of them: no Retry-After', () => {
    const error = refusal(limiter({ tokensPerMinute: 1000 }), 1001, startMs)
    expect(error).toMatchObject({
      status: 429,
      body: {
        error: { message: expect.stringMatching(/^Request too large for .*Limit 1000, Requested 1001\./) }
      }
    })
    expect(error).not.toHaveProperty(['headers', 'retry-after'])
  })

  test('belong to one model each', () => {
    const limits = limiter({ tokensPerMinute: 1000 })
    limits.admit('text-embedding-3-large', 1000, startMs)
    expect(refusal(limits, 1000, startMs)).toBeUndefined()
  })
})

test('requests per minute and per day are limited', () => {
  const perMinute = limiter({ requestsPerMinute: 60 })
  for (let sent = 0; sent < 60; sent++) perMinute.admit(model, 1, startMs)
  expect(refusal(perMinute, 1, startMs)).toMatchObject({
    body: {
      error: {
        type: 'requests',
        message: expect.stringContaining(
          'on requests per min (RPM): Limit 60, Used 60, Requested 1. Please try again in 1s.'
        )
      }
    }
  })
  const perDay = limiter({ requestsPerDay: 24 })
  for (let sent = 0; sent < 24; sent++) perDay.admit(model, 1, startMs)
  expect(refusal(perDay, 1, startMs)).toMatchObject({
    body: { error: { message: expect.stringContaining('requests per day (RPD)') } },
    headers: { 'retry-after': '3600' }
  })
})

test('what is refused uses nothing up, unless the server is told so', () => {
  const lenient = limiter({ tokensPerMinute: 1000 })
  const strict = limiter({ tokensPerMinute: 1000, countRejected: true })
  for (const limits of [lenient, strict]) {
    limits.admit(model, 1000, startMs)
    refusal(limits, 500, startMs)
  }
  expect(refusal(lenient, 500, startMs + 30_000)).toBeUndefined()
  expect(refusal(strict, 500, startMs + 30_000)).toBeDefined()
})

test('tiers are sets of limits', () => {
  expect(limitsSchema.parse({ tier: 'free' })).toMatchObject({
    requestsPerDay: 2000,
    tokensPerMinute: 40_000
  })
  expect(limitsSchema.parse({ tier: '5' })).toMatchObject({
    requestsPerMinute: 10_000,
    tokensPerMinute: 10_000_000
  })
  expect(limitsSchema.safeParse({ tier: '6' }).success).toBe(false)
})

test('the official client meets the limits, waits as told and gets through', async () => {
  await using server = await openLocalOpenai({ limits: { ...unlimited, tokensPerMinute: 6000 } })
  const input = ' x'.repeat(5990)
  await server.client().embeddings.create({ model, input })
  await expect(server.client().embeddings.create({ model, input })).rejects.toBeInstanceOf(
    OpenAI.RateLimitError
  )

  // 10 tokens too many are 100 ms of refill, of which some have passed.
  const { data, response } = await server
    .client(3)
    .embeddings.create({ model, input: ' y'.repeat(20) })
    .withResponse()
  expect(data.usage.prompt_tokens).toBe(20)
  expect(response.headers.get('x-ratelimit-limit-tokens')).toBe('6000')
  expect(response.headers.get('x-ratelimit-limit-requests')).toBeNull()
})

test('limits are changed while the server runs, and start full', async () => {
  await using server = await openLocalOpenai()
  expect(await server.get('/limits')).toEqual(unlimited)
  expect(await server.put('/limits', { tier: 'free' })).toMatchObject({ requestsPerMinute: 100 })
  expect((await server.post({ model, input: 'a' })).headers.get('x-ratelimit-remaining-requests')).toBe('99')
  expect(await server.put('/limits', { tokensPerMinute: 10 })).toMatchObject({ requestsPerMinute: null })
  expect((await server.post({ model, input: ' x'.repeat(11) })).status).toBe(429)
  expect(await server.put('/limits', { tokensPerMinute: 'many' })).toMatchObject({
    error: { type: 'invalid_request_error' }
  })
})
