import { openOpenai } from '@pointsman/core/adapters/openai/embedder'
import type { Embedder } from '@pointsman/core/ports/embedder'
import { expect, test } from 'vitest'
import { json, openScriptedProvider, type Reply } from '../../support/scripted-provider.ts'

const { signal } = new AbortController()
const one = [0.6, 0.8, 0, 0]
const other = [0, 0, 1, 0]

function embedderAt(url: string, model = 'text-embedding-3-small'): Embedder {
  return openOpenai({
    OPENAI_API_KEY: 'key',
    OPENAI_BASE_URL: url,
    EMBEDDING_MODEL: model,
    EMBEDDING_DIMENSIONS: 4
  })
}

function bytes(numbers: readonly number[]): Buffer {
  return Buffer.from(Float32Array.from(numbers).buffer)
}

function answer(
  rows: readonly (readonly [index: number, embedding: unknown])[],
  headers: Readonly<Record<string, string>> = {}
): Reply {
  const data = rows.map(([index, embedding]) => ({ object: 'embedding', index, embedding }))
  const usage = { prompt_tokens: 7, total_tokens: 7 }
  return json(200, { object: 'list', model: 'm', data, usage }, headers)
}

test('asks for base64 and gives its very bytes, by index and not by place', async () => {
  const reply = answer([
    [1, bytes(other).toString('base64')],
    [0, bytes(one).toString('base64')]
  ])
  await using provider = await openScriptedProvider(reply)
  const { paidTokens, vectors } = await embedderAt(provider.url).embed(['a', 'b'], signal)

  expect(vectors.map(vector => Buffer.from(vector))).toEqual([bytes(one), bytes(other)])
  expect(paidTokens).toBe(7)
  const [request] = provider.requests
  expect(request?.path).toBe('/v1/embeddings')
  expect(JSON.parse(request?.body ?? '')).toEqual({
    model: 'text-embedding-3-small',
    input: ['a', 'b'],
    encoding_format: 'base64',
    dimensions: 4
  })
})

test('takes floats from a server that does not know base64', async () => {
  await using provider = await openScriptedProvider(answer([[0, one]]))
  const { vectors } = await embedderAt(provider.url).embed(['a'], signal)

  expect(vectors.map(vector => Buffer.from(vector))).toEqual([bytes(one)])
})

test('asks a model that knows no dimensions for none', async () => {
  await using provider = await openScriptedProvider(answer([[0, one]]))
  await embedderAt(provider.url, 'text-embedding-ada-002').embed(['a'], signal)

  expect(JSON.parse(provider.requests[0]?.body ?? '')).not.toHaveProperty('dimensions')
})

test('reads the rate limits from the headers', async () => {
  const headers = {
    'x-ratelimit-limit-requests': '5000',
    'x-ratelimit-remaining-requests': '4999',
    'x-ratelimit-reset-requests': '12ms',
    'x-ratelimit-limit-tokens': '1000000',
    'x-ratelimit-remaining-tokens': '999000',
    'x-ratelimit-reset-tokens': '6m0s'
  }
  await using provider = await openScriptedProvider(answer([[0, one]], headers))

  expect((await embedderAt(provider.url).embed(['a'], signal)).limits).toEqual({
    limitRequests: 5_000,
    remainingRequests: 4_999,
    resetRequestsMs: 12,
    limitTokens: 1_000_000,
    remainingTokens: 999_000,
    resetTokensMs: 360_000
  })
})

const good = bytes(one).toString('base64')

test.each([
  ['too few vectors', [[0, good]]],
  [
    'too many vectors',
    [
      [0, good],
      [1, good],
      [2, good]
    ]
  ],
  [
    'an index twice',
    [
      [0, good],
      [0, good]
    ]
  ],
  [
    'an index that nobody asked for',
    [
      [0, good],
      [2, good]
    ]
  ],
  [
    'a negative index',
    [
      [0, good],
      [-1, good]
    ]
  ],
  [
    'a vector too short',
    [
      [0, good],
      [1, bytes(one.slice(1)).toString('base64')]
    ]
  ],
  [
    'bytes that are no whole floats',
    [
      [0, good],
      [1, bytes(one).subarray(1).toString('base64')]
    ]
  ],
  [
    'a component that is not a number',
    [
      [0, good],
      [1, bytes([1, Number.NaN, 0, 0]).toString('base64')]
    ]
  ],
  [
    'an infinite component',
    [
      [0, good],
      [1, bytes([1, Number.POSITIVE_INFINITY, 0, 0]).toString('base64')]
    ]
  ],
  [
    'a vector of zeros',
    [
      [0, good],
      [1, bytes([0, -0, 0, 0]).toString('base64')]
    ]
  ],
  [
    'too few floats',
    [
      [0, one],
      [1, one.slice(1)]
    ]
  ]
] as const)('an answer with %s is paid and unusable', async (_, rows) => {
  await using provider = await openScriptedProvider(answer(rows))

  await expect(embedderAt(provider.url).embed(['a', 'b'], signal)).rejects.toMatchObject({
    code: 'EMBED_OUTCOME_UNKNOWN'
  })
})

test('never asks twice by itself', async () => {
  await using provider = await openScriptedProvider(json(500, {}))
  await embedderAt(provider.url)
    .embed(['a'], signal)
    .catch(() => undefined)

  expect(provider.requests).toHaveLength(1)
})

test('an abort during the call throws its reason', async () => {
  const stop = new AbortController()
  const reason = new Error('stopping')
  await using provider = await openScriptedProvider(() => stop.abort(reason))

  await expect(embedderAt(provider.url).embed(['a'], stop.signal)).rejects.toBe(reason)
})

test('checks the model without an embedding', async () => {
  await using provider = await openScriptedProvider(
    json(200, { id: 'text-embedding-3-small', object: 'model' })
  )
  await embedderAt(provider.url).check(signal)

  expect(provider.requests).toEqual([{ method: 'GET', path: '/v1/models/text-embedding-3-small', body: '' }])
})
