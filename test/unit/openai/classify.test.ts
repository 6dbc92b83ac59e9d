// Every refusal that reference and live answers know, through the SDK as it is used, against a scripted provider.
import { openOpenai } from '@pointsman/core/adapters/openai/embedder'
import type { Failure } from '@pointsman/core/domain/failure'
import { expect, test } from 'vitest'
import { apiError, json, openScriptedProvider, type Reply } from '../../support/scripted-provider.ts'

const { signal } = new AbortController()

async function failureOf(reply: Reply, deadlineMs = 5_000): Promise<Failure> {
  await using provider = await openScriptedProvider(reply)
  return await failureAt(provider.url, deadlineMs)
}

async function failureAt(url: string, deadlineMs = 5_000): Promise<Failure> {
  const settings = {
    OPENAI_API_KEY: 'key',
    OPENAI_BASE_URL: url,
    EMBEDDING_MODEL: 'text-embedding-3-small',
    EMBEDDING_DIMENSIONS: 4
  }
  const embedder = openOpenai(settings, { deadlineMs })
  return await embedder.embed(['one', 'two'], signal).then(
    () => expect.unreachable('the call should fail'),
    (failure: Failure) => failure
  )
}

const tpm =
  'Rate limit reached for text-embedding-3-small in organization org-x on tokens per min (TPM): Limit 1000000, ' +
  'Used 976163, Requested 70716. Please try again in 2.812s. Visit https://platform.openai.com/account/rate-limits ' +
  'to learn more.'
const tooLargeForTpm =
  'Request too large for text-embedding-3-small in organization org-x on tokens per min (TPM): Limit 1000000, ' +
  'Requested 1003160. The input or output tokens must be reduced in order to run successfully.'

test.each([
  ['a TPM limit', apiError(429, { message: tpm, type: 'tokens', code: 'rate_limit_exceeded' }), 2_812],
  [
    'a TPM limit with headers',
    apiError(
      429,
      { message: tpm, code: 'rate_limit_exceeded' },
      { 'retry-after-ms': '150', 'retry-after': '1' }
    ),
    150
  ],
  [
    'seconds to wait',
    apiError(429, { message: 'Slow down', code: 'slow_down' }, { 'retry-after': '7' }),
    7_000
  ],
  ['nothing to go by', apiError(429, { message: 'Too many requests' }), undefined],
  ['minutes in the message', apiError(429, { message: 'Please try again in 1m2.5s.' }), 62_500],
  ['milliseconds in the message', apiError(429, { message: 'Please try again in 12ms.' }), 12]
])('a 429 with %s is a rate limit with its waiting time', async (_, reply, waitMs) => {
  expect(await failureOf(reply)).toMatchObject({ code: 'EMBED_RATE_LIMITED', retryAfterMs: waitMs })
})

test('a 429 with a date to wait for says how long that is', async () => {
  const inAMinute = new Date(Date.now() + 60_000).toUTCString()
  const failure = await failureOf(apiError(429, { message: 'Slow down' }, { 'retry-after': inAMinute }))

  expect(failure.code).toBe('EMBED_RATE_LIMITED')
  expect(failure.retryAfterMs).toBeGreaterThan(50_000)
  expect(failure.retryAfterMs).toBeLessThanOrEqual(60_000)
})

test.each([
  'insufficient_quota',
  'credit_balance_exhausted',
  'organization_spend_limit_exceeded',
  'project_spend_limit_exceeded'
])('a 429 of code %s is a matter of money', async code => {
  expect((await failureOf(apiError(429, { message: 'no', type: 'x', code }))).code).toBe('EMBED_OUT_OF_FUNDS')
  expect((await failureOf(apiError(429, { message: 'no', type: code }))).code).toBe('EMBED_OUT_OF_FUNDS')
})

test.each([
  ['a request above the limit per minute', apiError(429, { message: tooLargeForTpm, type: 'tokens' })],
  ['too many inputs', apiError(400, { message: "Invalid 'input': array length must be 2048 or less." })],
  [
    'too many tokens',
    apiError(400, {
      message: 'Requested 453357 tokens, max 300000 tokens per request',
      type: 'max_tokens_per_request',
      code: 'max_tokens_per_request'
    })
  ],
  ['a body too large', json(413, {})]
])('%s is to be split', async (_, reply) => {
  expect((await failureOf(reply)).code).toBe('EMBED_TOO_LARGE')
})

test.each([
  ["Invalid 'input[55]': maximum input length is 8192 tokens.", 55],
  ["Invalid 'input[0]': input cannot be an empty string", 0],
  ["'$.input' is invalid. Please check the API reference.", undefined],
  ["This model's maximum context length is 8192 tokens, however you requested 9001 tokens", undefined],
  ['We could not parse the JSON body of your request.', undefined]
])('a 400 that says "%s" is about an input', async (message, inputIndex) => {
  expect(await failureOf(apiError(400, { message }))).toMatchObject({
    code: 'EMBED_INPUT_REJECTED',
    inputIndex
  })
})

test.each([
  ['a wrong key', apiError(401, { message: 'Incorrect API key', code: 'invalid_api_key' }), /OPENAI_API_KEY/],
  ['no permission', apiError(403, { message: 'Not allowed' }), /OPENAI_API_KEY/],
  ['no such model', apiError(404, { message: "The model 'x' does not exist" }), /EMBEDDING_MODEL/],
  [
    'dimensions refused',
    apiError(400, { message: 'This model does not support specifying dimensions.' }),
    /EMBEDDING_DIMENSIONS/
  ],
  [
    'too many dimensions',
    apiError(400, { message: 'Must be less than or equal to 1536.' }),
    /EMBEDDING_DIMENSIONS/
  ]
])('%s needs an operator, and says where', async (_, reply, remedy) => {
  const failure = await failureOf(reply)
  expect(failure.code).toBe('EMBED_REFUSED')
  expect(failure.message).toMatch(remedy)
})

test.each([500, 502, 503, 504, 408, 409])(
  'after status %i nobody knows whether it was paid',
  async status => {
    const reply: Reply = response => {
      response.writeHead(status, { 'content-type': 'text/html' })
      response.end('<html>bad gateway</html>')
    }
    expect((await failureOf(reply)).code).toBe('EMBED_OUTCOME_UNKNOWN')
  }
)

test('an overloaded provider leaves the outcome unknown and says how long to wait', async () => {
  const reply = apiError(503, { message: 'overloaded', code: 'server_is_overloaded' }, { 'retry-after': '3' })
  expect(await failureOf(reply)).toMatchObject({ code: 'EMBED_OUTCOME_UNKNOWN', retryAfterMs: 3_000 })
})

test('a refused connection was surely not sent', async () => {
  const provider = await openScriptedProvider(json(200, {}))
  await provider[Symbol.asyncDispose]()
  expect((await failureAt(provider.url)).code).toBe('EMBED_UNAVAILABLE')
})

test('a name that does not resolve was surely not sent', async () => {
  expect((await failureAt('http://nowhere.invalid/v1')).code).toBe('EMBED_UNAVAILABLE')
})

test('a connection that is reset after the request leaves the outcome unknown', async () => {
  const failure = await failureOf(response => void response.socket?.resetAndDestroy())
  expect(failure.code).toBe('EMBED_OUTCOME_UNKNOWN')
})

test('no answer within the deadline leaves the outcome unknown', async () => {
  expect(await failureOf(() => undefined, 50)).toMatchObject({
    code: 'EMBED_OUTCOME_UNKNOWN',
    message: 'no answer within 50 ms'
  })
})

test('a body that stalls leaves the outcome unknown within the deadline', async () => {
  const reply: Reply = response => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{"data":[')
  }
  expect((await failureOf(reply, 50)).code).toBe('EMBED_OUTCOME_UNKNOWN')
})

test.each([
  ['cut JSON', '{"data":[{"index":0', 'application/json'],
  ['another type', 'hello', 'text/plain'],
  ['nothing', '', 'application/json'],
  ['an error that calls itself a success', '{"error":{"message":"no"}}', 'application/json']
])('a 200 with %s leaves the outcome unknown', async (_, body, type) => {
  const reply: Reply = response => {
    response.writeHead(200, { 'content-type': type })
    response.end(body)
  }
  expect((await failureOf(reply)).code).toBe('EMBED_OUTCOME_UNKNOWN')
})
