import { drawLatencyMs } from '@pointsman/local-openai/latency'
import type { Latency } from '@pointsman/local-openai/latency'
import { SeededRandom } from '@pointsman/local-openai/seeded-random'
import { expect, test } from 'vitest'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'

function draw(latency: Latency, count = 10_000): number[] {
  const random = new SeededRandom(7)
  return Array.from({ length: count }, () => drawLatencyMs(latency, random)).sort((a, b) => a - b)
}

test('a fixed latency is always the same', () => {
  expect(new Set(draw({ kind: 'fixed', ms: 200 }))).toEqual(new Set([200]))
})

test('a uniform latency fills its range', () => {
  const drawn = draw({ kind: 'uniform', minMs: 100, maxMs: 300 })
  expect(drawn[0]).toBeGreaterThanOrEqual(100)
  expect(drawn[0]).toBeLessThan(101)
  expect(drawn.at(-1)).toBeLessThan(300)
  expect(drawn.at(-1)).toBeGreaterThan(299)
})

test('a lognormal latency has the median and the 99th percentile asked for', () => {
  const drawn = draw({ kind: 'lognormal', medianMs: 200, p99Ms: 900 })
  expect(drawn[5000]).toBeGreaterThan(190)
  expect(drawn[5000]).toBeLessThan(210)
  expect(drawn[9900]).toBeGreaterThan(800)
  expect(drawn[9900]).toBeLessThan(1000)
})

test('the latency is changed while the server runs; the work done counts as part of it', async () => {
  await using server = await openLocalOpenai()
  expect(await server.put('/latency', { kind: 'fixed', ms: 60 })).toEqual({ kind: 'fixed', ms: 60 })
  const startMs = performance.now()
  const response = await server.post({ model: 'text-embedding-3-small', input: 'a' })
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(60)
  expect(Number(response.headers.get('openai-processing-ms'))).toBeGreaterThanOrEqual(60)
  expect(await server.put('/latency', { kind: 'fixed', ms: -1 })).toMatchObject({
    error: { type: 'invalid_request_error' }
  })
  expect(await server.get('/latency')).toEqual({ kind: 'fixed', ms: 60 })
})

test('requests wait side by side', async () => {
  await using server = await openLocalOpenai({ latency: { kind: 'fixed', ms: 300 } })
  const startMs = performance.now()
  const input = Array.from({ length: 256 }, (_, index) => `text ${index}`)
  const body = { model: 'text-embedding-3-small', input, encoding_format: 'base64' }
  const answers = await Promise.all(Array.from({ length: 8 }, () => server.post(body)))
  expect(answers.map(answer => answer.status)).toEqual(Array.from({ length: 8 }, () => 200))
  expect(performance.now() - startMs).toBeLessThan(8 * 300)
})
