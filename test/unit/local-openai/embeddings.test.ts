import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'
import type { LocalOpenaiUnderTest } from '../../support/local-openai-under-test.ts'

const model = 'text-embedding-3-small'
let server: LocalOpenaiUnderTest

beforeAll(async () => {
  server = await openLocalOpenai({ apiKeys: ['test-key'], maxBodyBytes: 4 * 1024 * 1024 })
})
afterAll(() => server[Symbol.asyncDispose]())

describe('the official client', () => {
  test('gets the same vectors as base64, which it asks for, and as floats', async () => {
    const input = ['first', 'second', 'third']
    const decoded = await server.client().embeddings.create({ model, input })
    const floats = await server.client().embeddings.create({ model, input, encoding_format: 'float' })

    expect(decoded.data.map(one => one.index)).toEqual([0, 1, 2])
    expect(decoded.data.map(one => one.embedding.length)).toEqual([1536, 1536, 1536])
    expect(floats.data).toEqual(decoded.data)
    expect(floats).toMatchObject({ object: 'list', model, usage: { prompt_tokens: 3, total_tokens: 3 } })
  })

  test('sees each model with its native length and the lengths it can be cut to', async () => {
    const lengthOf = async (id: string, dimensions?: number): Promise<number | undefined> =>
      (await server.client().embeddings.create({ model: id, input: 'x', ...(dimensions && { dimensions }) }))
        .data[0]?.embedding.length

    expect(await lengthOf('text-embedding-3-large')).toBe(3072)
    expect(await lengthOf('text-embedding-ada-002')).toBe(1536)
    expect(await lengthOf('text-embedding-3-small', 1)).toBe(1)
    expect(await lengthOf('text-embedding-3-large', 1000)).toBe(1000)
  })

  test('lists and retrieves models', async () => {
    const models = await server.client().models.list()
    expect(models.data.map(one => one.id)).toEqual([
      'text-embedding-3-small',
      'text-embedding-3-large',
      'text-embedding-ada-002'
    ])
    expect(await server.client().models.retrieve(model)).toEqual({
      id: model,
      object: 'model',
      created: 1705948997,
      owned_by: 'system'
    })
    await expect(server.client().models.retrieve('gpt-x')).rejects.toBeInstanceOf(OpenAI.NotFoundError)
  })
})

test('text, texts, tokens and lists of tokens of the same content have the same vector and count', async () => {
  const text = 'hello world'
  const ids = [15339, 1917]
  const embed = async (input: unknown): Promise<unknown> => {
    const response = await server.post({ model, input })
    const body: unknown = await response.json()
    expect(body).toMatchObject({ usage: { prompt_tokens: 2, total_tokens: 2 } })
    return body
  }
  const expected = await embed(text)
  expect(await embed([text])).toEqual(expected)
  expect(await embed(ids)).toEqual(expected)
  expect(await embed([ids])).toEqual(expected)
})

test('whitespace is legal input, and so is text that looks like a special token', async () => {
  const response = await server.post({ model, input: [' ', '<|endoftext|>'] })
  expect(await response.json()).toMatchObject({ usage: { prompt_tokens: 1 + 7 } })
})

test('2048 inputs are taken', async () => {
  const response = await server.post({ model, input: Array.from({ length: 2048 }, () => 'x'), dimensions: 8 })
  expect(response.status).toBe(200)
})

describe('refuses, as OpenAI does,', () => {
  // " x" is one token, and so is the first x.
  const words = (count: number): string => `x${' x'.repeat(count - 1)}`
  const refusals: readonly (readonly [string, unknown, number, object])[] = [
    [
      'more than 2048 inputs',
      { model, input: Array.from({ length: 2049 }, () => 'x') },
      400,
      { message: "Invalid 'input': array length must be 2048 or less." }
    ],
    [
      'an empty text',
      { model, input: ['a', ''] },
      400,
      { message: "Invalid 'input[1]': input cannot be an empty string" }
    ],
    [
      'a text of more than 8192 tokens',
      { model, input: ['a', words(8193)] },
      400,
      { message: "Invalid 'input[1]': maximum input length is 8192 tokens." }
    ],
    [
      'a text too long to be counted',
      { model, input: ['x'.repeat(2_000_000)] },
      400,
      { message: "Invalid 'input[0]': maximum input length is 8192 tokens." }
    ],
    [
      'too many tokens',
      { model, input: Array.from({ length: 37 }, () => words(8192)) },
      400,
      {
        message: 'Requested 303104 tokens, max 300000 tokens per request',
        type: 'max_tokens_per_request',
        code: 'max_tokens_per_request',
        param: null
      }
    ],
    [
      'too many dimensions',
      { model, input: 'a', dimensions: 1537 },
      400,
      { message: expect.stringContaining('Must be less than or equal to 1536.') }
    ],
    ['no dimensions', { model, input: 'a', dimensions: 0 }, 400, { param: 'dimensions' }],
    [
      'half a dimension',
      { model, input: 'a', dimensions: 1.5 },
      400,
      { param: 'dimensions', code: 'invalid_type' }
    ],
    [
      'dimensions of ada-002',
      { model: 'text-embedding-ada-002', input: 'a', dimensions: 10 },
      400,
      { message: 'This model does not support specifying dimensions.', param: null, code: null }
    ],
    ['an unknown model', { model: 'nope', input: 'a' }, 404, { code: 'model_not_found', param: null }],
    [
      'an unknown field',
      { model, input: 'a', colour: 'red' },
      400,
      { code: 'unknown_parameter', param: 'colour' }
    ],
    ['a missing input', { model }, 400, { code: 'missing_required_parameter', param: 'input' }],
    ['a missing model', { input: 'a' }, 400, { code: 'missing_required_parameter', param: 'model' }],
    ['an empty list', { model, input: [] }, 400, { code: 'empty_array' }],
    ['an empty list of tokens', { model, input: [[]] }, 400, { code: 'empty_array', param: 'input[0]' }],
    ['a number', { model, input: 7 }, 400, { code: 'invalid_type', param: 'input' }],
    ['a mixed list', { model, input: ['a', [1]] }, 400, { code: 'invalid_type', param: 'input[1]' }],
    ['null in a list', { model, input: ['a', null] }, 400, { code: 'invalid_type', param: 'input[1]' }],
    [
      'a token that does not exist',
      { model, input: [999_999] },
      400,
      { code: 'invalid_value', param: 'input' }
    ],
    [
      'an unknown encoding',
      { model, input: 'a', encoding_format: 'hex' },
      400,
      { code: 'invalid_value', param: 'encoding_format' }
    ],
    ['a body that is no object', [1], 400, { param: null }],
    [
      'a body that is no JSON',
      '{"model":',
      400,
      { message: expect.stringContaining('could not parse the JSON body') }
    ]
  ]
  test.each(refusals)('%s', async (_name, body, status, error) => {
    const response = await server.post(body)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(response.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/)
    const answer: unknown = await response.json()
    const fourKeys = {
      message: expect.any(String),
      type: 'invalid_request_error',
      param: expect.toBeOneOf([expect.any(String), null]),
      code: expect.toBeOneOf([expect.any(String), null])
    }
    expect(answer).toEqual({ error: { ...fourKeys, ...error } })
  })

  test('bodies over the limit, other content types and unknown routes', async () => {
    expect((await server.post({ model, input: 'x'.repeat(4 * 1024 * 1024) })).status).toBe(413)
    expect((await server.post('a', { 'content-type': 'text/plain' })).status).toBe(415)
    const unknown = await fetch(`${server.url}/embedding`, { method: 'POST' })
    expect(unknown.status).toBe(404)
    expect(await unknown.json()).toEqual({
      error: {
        message: 'Invalid URL (POST /v1/embedding)',
        type: 'invalid_request_error',
        param: null,
        code: null
      }
    })
  })

  test('missing and wrong keys, without showing the key', async () => {
    const missing = await fetch(`${server.url}/models`)
    expect(missing.status).toBe(401)
    const stranger = new OpenAI({ baseURL: server.url, apiKey: 'sk-secret-of-mine', maxRetries: 0 })
    const error = await stranger.models.list().then(
      () => undefined,
      (thrown: unknown) => thrown
    )
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError)
    expect(error).toMatchObject({
      status: 401,
      code: 'invalid_api_key',
      requestID: expect.stringMatching(/^req_/)
    })
    expect(String(error)).not.toContain('secret')
  })
})
