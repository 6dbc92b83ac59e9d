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

async function paidRequests(): Promise<unknown> {
  return await server.get('/bill')
}

const paidOnce = { realtime: { requests: 1, inputs: 3, tokens: 3 } }

describe('on a paid request, the fault is', () => {
  async function data(rule: object, encoding = 'base64'): Promise<unknown> {
    await play(rule)
    const response = await server.post({ model, input, encoding_format: encoding })
    expect(response.status).toBe(200)
    expect(await paidRequests()).toMatchObject(paidOnce)
    return await response.json()
  }

  function item(index: number, embedding: unknown = expect.any(String)): object {
    return { object: 'embedding', index, embedding }
  }

  const ofBytes = (bytes: number): unknown =>
    expect.toSatisfy(
      (text: unknown) => typeof text === 'string' && Buffer.from(text, 'base64').length === bytes
    )

  test('a vector too few, or too many', async () => {
    expect(await data({ kind: 'wrong_count' })).toMatchObject({ data: [item(0), item(1)] })
    await server.delete('/bill')
    expect(await data({ kind: 'wrong_count', by: 1 })).toMatchObject({
      data: [item(0), item(1), item(2), item(3)]
    })
  })
  test('another order', async () => {
    expect(await data({ kind: 'shuffled' })).toMatchObject({ data: [item(2), item(1), item(0)] })
  })
  test('the same index for all', async () => {
    expect(await data({ kind: 'duplicate_index' })).toMatchObject({ data: [item(0), item(0), item(0)] })
  })
  test('a missing index', async () => {
    expect(await data({ kind: 'missing_index' })).toMatchObject({
      data: [expect.not.toSatisfy((one: object) => 'index' in one), item(1), item(2)]
    })
  })
  test('vectors too short, or too long', async () => {
    expect(await data({ kind: 'wrong_dimensions' })).toMatchObject({
      data: [item(0, ofBytes(1535 * 4)), item(1), item(2)]
    })
    await server.delete('/bill')
    expect(await data({ kind: 'wrong_dimensions', by: 2 })).toMatchObject({
      data: [item(0, ofBytes(1538 * 4)), item(1), item(2)]
    })
  })
  test('a NaN, which JSON writes as null', async () => {
    const nan = expect.toSatisfy((text: string) => Number.isNaN(Buffer.from(text, 'base64').readFloatLE(0)))
    expect(await data({ kind: 'nan' })).toMatchObject({ data: [item(0, nan), item(1), item(2)] })
    await server.delete('/bill')
    const withNull = expect.toSatisfy((numbers: unknown[]) => numbers[0] === null)
    expect(await data({ kind: 'nan' }, 'float')).toMatchObject({
      data: [item(0, withNull), item(1, expect.any(Array)), item(2, expect.any(Array))]
    })
  })
  test('a vector of zeros', async () => {
    const zeros = expect.toSatisfy((text: string) => Buffer.from(text, 'base64').every(byte => byte === 0))
    expect(await data({ kind: 'zero_vector' })).toMatchObject({ data: [item(0, zeros), item(1), item(2)] })
  })
  test('base64 of bytes that are no whole floats', async () => {
    expect(await data({ kind: 'base64_misaligned' })).toMatchObject({
      data: [item(0, ofBytes(1536 * 4 - 1)), item(1), item(2)]
    })
  })
  test('floats where base64 was asked for', async () => {
    expect(await data({ kind: 'floats_despite_base64' })).toMatchObject({
      data: [item(0, expect.any(Array)), item(1, expect.any(Array)), item(2, expect.any(Array))]
    })
  })
  test('usage that is understated', async () => {
    expect(await data({ kind: 'understated_usage', factor: 0.4 })).toMatchObject({
      usage: { prompt_tokens: 1, total_tokens: 1 }
    })
  })

  test('JSON that is cut, or wrong', async () => {
    for (const kind of ['truncated_json', 'malformed_json']) {
      await play({ kind })
      await expect(server.client().embeddings.create({ model, input })).rejects.toBeInstanceOf(SyntaxError)
    }
    expect(await paidRequests()).toMatchObject({ realtime: { requests: 2 } })
  })
  test('another content type', async () => {
    await play({ kind: 'wrong_content_type' })
    const response = await server.post({ model, input })
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(await paidRequests()).toMatchObject(paidOnce)
  })

  test('a connection cut after billing', async () => {
    await play({ kind: 'reset_after_billing' })
    await expect(server.client().embeddings.create({ model, input })).rejects.toBeInstanceOf(
      OpenAI.APIConnectionError
    )
    expect(await paidRequests()).toMatchObject(paidOnce)
    expect(await server.get('/journal')).toMatchObject({
      exchanges: [{ paid: true, fault: 'reset_after_billing' }]
    })
  })
  test('a body cut on the way', async () => {
    await play({ kind: 'cut_body', at: 0.5 })
    const response = await server.post({ model, input })
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow('terminated')
    expect(await paidRequests()).toMatchObject(paidOnce)
  })
  test('a slow body, which arrives whole', async () => {
    await play({ kind: 'slow_body', chunkBytes: 4000, intervalMs: 2 })
    const answer = await server.client().embeddings.create({ model, input })
    expect(answer.data).toHaveLength(3)
  })
  test('slow headers', async () => {
    await play({ kind: 'slow_headers', delayMs: 80 })
    const before = performance.now()
    await server.post({ model, input })
    expect(performance.now() - before).toBeGreaterThanOrEqual(80)
  })
})
