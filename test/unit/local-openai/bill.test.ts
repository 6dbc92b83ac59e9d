import { createHash } from 'node:crypto'
import { appendFileSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { Bill } from '@pointsman/local-openai/bill'
import { openaiModels } from '@pointsman/local-openai/models'
import { digestText } from '@pointsman/local-openai/paid-input'
import { expect, test } from 'vitest'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'

const small = 'text-embedding-3-small'
const large = 'text-embedding-3-large'

function textHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

function newStateFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'local-openai-')), 'bill.jsonl')
}

test('the bill adds up requests, inputs, tokens and money by the price of each model', async () => {
  await using server = await openLocalOpenai()
  await server.post({ model: small, input: ['hello world', 'hello'] })
  await server.post({ model: large, input: 'hello world' })
  await server.post({ model: small, input: 'hello world', dimensions: 10 })
  await server.post({ model: small, input: '' })

  expect(await server.get('/bill')).toEqual({
    realtime: { requests: 3, inputs: 4, tokens: 7, usd: (5 * 20 + 2 * 130) / 1e9 },
    batch: { jobs: 0, inputs: 0, tokens: 0, usd: 0 },
    distinctInputs: 4,
    distinctTokens: 7
  })
})

test('what was paid twice is named, also when the first answer was lost after billing', async () => {
  await using server = await openLocalOpenai({ faults: { rules: [{ kind: 'reset_after_billing', nth: 1 }] } })
  await server.client(1).embeddings.create({ model: small, input: ['lost', 'and paid again'] })
  await server.client().embeddings.create({ model: small, input: 'once' })

  expect(await server.get('/bill')).toMatchObject({
    realtime: { requests: 3, inputs: 5 },
    distinctInputs: 3
  })
  const { payments } = Object(await server.get('/payments?minCount=2'))
  expect(payments).toHaveLength(2)
  expect(payments).toContainEqual({
    model: small,
    dimensions: 1536,
    textHash: textHash('lost'),
    count: 2,
    tokens: 1
  })
  expect(await server.get('/payments')).toMatchObject({ total: 3 })
  expect(await server.get('/payments?limit=1')).toMatchObject({ total: 3, payments: [{ model: small }] })
})

test('a cleared bill is empty', async () => {
  await using server = await openLocalOpenai({ stateFile: newStateFile() })
  await server.post({ model: small, input: 'hello' })
  await server.delete('/bill')
  expect(await server.get('/bill')).toMatchObject({ realtime: { requests: 0, usd: 0 }, distinctInputs: 0 })
  expect(await server.get('/payments')).toEqual({ total: 0, payments: [] })
})

test('the payments of any history are those of a simple count, also after a restart', async () => {
  const payment = fc.record({
    model: fc.constantFrom(...openaiModels),
    dimensions: fc.constantFrom(256, 1536),
    texts: fc.array(fc.integer({ min: 0, max: 20 }).map(String), { minLength: 1, maxLength: 10 })
  })
  fc.assert(
    fc.property(fc.array(payment, { maxLength: 30 }), history => {
      const stateFile = newStateFile()
      const counts = new Map<string, number>()
      {
        using bill = new Bill(stateFile)
        for (const { model, dimensions, texts } of history) {
          const inputs = texts.map(text => ({ text, digest: digestText(text), tokens: 2 }))
          bill.pay({ model, dimensions, inputs, encoding: 'float', tokens: inputs.length * 2 })
          for (const text of texts) {
            const name = `${model.id} ${dimensions} ${textHash(text)}`
            counts.set(name, (counts.get(name) ?? 0) + 1)
          }
        }
      }
      using bill = new Bill(stateFile)
      const listed = [...bill.payments(1)].map(
        one => [`${one.model} ${one.dimensions} ${one.textHash}`, one.count] as const
      )
      expect(new Map(listed)).toEqual(counts)
      expect(bill.report().distinctInputs).toBe(counts.size)
    }),
    { numRuns: 50 }
  )
})

test('many distinct inputs are kept apart', () => {
  using bill = new Bill()
  const inputs = Array.from({ length: 20_000 }, (_, index) => ({
    text: '',
    digest: digestText(String(index)),
    tokens: 1
  }))
  const model = openaiModels[0]!
  for (let round = 0; round < 2; round++) {
    bill.pay({ model, dimensions: 1536, inputs, encoding: 'base64', tokens: inputs.length })
  }
  expect(bill.report()).toMatchObject({ distinctInputs: 20_000, realtime: { inputs: 40_000 } })
  expect([...bill.payments(2)]).toHaveLength(20_000)
  expect([...bill.payments(3)]).toHaveLength(0)
})

test('a line that a kill cut off is dropped, and the bill goes on behind the last whole one', () => {
  const stateFile = newStateFile()
  const input = { text: 'a', digest: digestText('a'), tokens: 1 }
  const request = {
    model: openaiModels[0]!,
    dimensions: 8,
    inputs: [input],
    encoding: 'float',
    tokens: 1
  } as const
  {
    using bill = new Bill(stateFile)
    bill.pay(request)
  }
  appendFileSync(stateFile, '{"kind":"realtime","atMs":17')
  {
    using bill = new Bill(stateFile)
    expect(bill.report().realtime.requests).toBe(1)
    bill.pay(request)
  }
  using bill = new Bill(stateFile)
  expect(bill.report().realtime.requests).toBe(2)
  expect(readFileSync(stateFile, 'utf8')).toMatch(/\n$/)
})

test('a state file of something else is refused, with the place', () => {
  const stateFile = newStateFile()
  appendFileSync(stateFile, '{"kind":"other"}\n')
  expect(() => new Bill(stateFile)).toThrow(`${stateFile}, byte 0`)
})
