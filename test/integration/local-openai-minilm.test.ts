import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { createBatch, readLines, waitForBatch } from '../support/local-openai-batch.ts'
import { openLocalOpenai } from '../support/local-openai-under-test.ts'
import type { LocalOpenaiUnderTest } from '../support/local-openai-under-test.ts'

const model = 'all-minilm-l6-v2'
const journal = z.object({ exchanges: z.array(z.object({ inputs: z.number() })) })
let server: LocalOpenaiUnderTest

beforeAll(async () => {
  server = await openLocalOpenai({ vectors: { kind: 'minilm', folder: inject('minilmDir'), threads: 2 } })
})
afterAll(() => server[Symbol.asyncDispose]())

async function embed(input: string[], dimensions?: number): Promise<number[][]> {
  const answer = await server.client().embeddings.create({ model, input, ...(dimensions && { dimensions }) })
  return answer.data.map(one => one.embedding)
}

function cosine(a: number[] | undefined, b: number[] | undefined): number {
  return a!.reduce((sum, value, index) => sum + value * b![index]!, 0)
}

test('texts that mean the same lie close, others do not', async () => {
  const [cat, kitten, stocks] = await embed([
    'A cat sits on the mat.',
    'A kitten is resting on the rug.',
    'The stock market fell sharply today.'
  ])
  expect(cat).toHaveLength(384)
  expect(cosine(cat, kitten)).toBeCloseTo(0.644, 2)
  expect(cosine(cat, stocks)).toBeLessThan(0.15)
})

test('a vector does not depend on what else is in the request', async () => {
  const text = 'Offsets are committed after the write.'
  const [alone] = await embed([text])
  const others = Array.from({ length: 40 }, (_, index) => 'word '.repeat(index * 5 + 1))
  const together = await embed([...others.slice(0, 20), text, ...others.slice(20)])
  expect(together).toHaveLength(41)
  expect(together[20]).toEqual(alone)
})

test('vectors have unit length, also when shortened, and a shortened one is the prefix', async () => {
  const [native] = await embed(['hello'])
  const [short] = await embed(['hello'], 100)
  expect(cosine(native, native)).toBeCloseTo(1, 6)
  expect(cosine(short, short)).toBeCloseTo(1, 6)
  const prefix = native!.slice(0, 100)
  expect(cosine(short, prefix) / Math.sqrt(cosine(prefix, prefix))).toBeCloseTo(1, 6)
})

test('long texts are taken; what follows the 256th word piece changes nothing', async () => {
  const start = 'word '.repeat(300)
  const [one, other] = await embed([start, `${start} and another end`])
  expect(one).toEqual(other)
})

test('it is billed like text-embedding-3-small; the models of OpenAI are not served', async () => {
  await server.delete('/bill')
  await embed(['hello world'])
  expect(await server.get('/bill')).toMatchObject({ realtime: { tokens: 2, usd: 4e-8 } })
  expect((await server.post({ model: 'text-embedding-3-small', input: 'a' })).status).toBe(404)
  expect((await server.client().models.list()).data.map(one => one.id)).toEqual([model])
})

test('a job gets the vectors that requests get', async () => {
  const texts = Array.from({ length: 70 }, (_, index) => `sentence ${index} about the weather`)
  const line = (input: string, index: number): string =>
    JSON.stringify({
      custom_id: `line-${index}`,
      method: 'POST',
      url: '/v1/embeddings',
      body: { model, input }
    })
  const { id } = await createBatch(server.client(), texts.map(line).join('\n'))
  const done = await waitForBatch(server.client(), id, 'completed')
  const lines = await readLines(server.client(), done.output_file_id)
  expect(lines).toHaveLength(texts.length)
  const [first] = await embed(texts.slice(0, 1))
  const found = lines.find(one => one.custom_id === 'line-0')?.response?.body.data[0]?.embedding
  expect(Array.from(Float32Array.from(found as number[]))).toEqual(Array.from(Float32Array.from(first!)))
})

test('ends in order when it is told to while it computes for somebody who has gone', async () => {
  const script = join(import.meta.dirname, '../../packages/local-openai/src/main.ts')
  const args = ['--json', '--vectors', 'minilm', '--minilm-dir', inject('minilmDir'), '--threads', '2']
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const { url, adminUrl } = await readyLine(child)
    const gone = new AbortController()
    const asked = fetch(`${url}/embeddings`, {
      method: 'POST',
      signal: gone.signal,
      headers: { 'content-type': 'application/json', authorization: 'Bearer any' },
      body: JSON.stringify({ model, input: Array.from({ length: 500 }, (_, i) => `word ${i} `.repeat(60)) })
    })
    asked.catch(() => undefined)
    await expect.poll(() => inputsUnderWay(adminUrl)).toBe(500)
    gone.abort()
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  } finally {
    child.kill('SIGKILL')
  }
})

async function readyLine({ stdout }: ChildProcess): Promise<{ url: string; adminUrl: string }> {
  for await (const line of createInterface({ input: stdout! })) return JSON.parse(line)
  throw new Error('it ended before it was ready')
}

async function inputsUnderWay(adminUrl: string): Promise<number | undefined> {
  const response = await fetch(`${adminUrl}/journal`)
  const { exchanges } = journal.parse(await response.json())
  return exchanges.find(({ inputs }) => inputs > 0)?.inputs
}
