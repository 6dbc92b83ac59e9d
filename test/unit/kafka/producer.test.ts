import { expect, test } from 'vitest'
import { chunksOf } from '@pointsman/core/adapters/kafka/producer'
import { deadLetterMessage, deadLetterOf } from '@pointsman/core/adapters/kafka/dead-letter-message'

const sized = (bytes: number) => ({ key: 'k', value: Buffer.alloc(bytes) })

test('chunks keep the order and stay below the size of a batch that a broker takes', () => {
  const messages = Array.from({ length: 5_000 }, () => sized(600))
  const chunks = chunksOf(messages)
  expect(chunks.flat()).toEqual(messages)
  expect(chunks.length).toBeGreaterThan(1)
  for (const chunk of chunks) expect(chunk.length * 700).toBeLessThan(1_048_576)
})

test('a message that is larger than a chunk goes alone, and nothing makes no chunk', () => {
  expect(chunksOf([sized(10), sized(2_000_000), sized(10)]).map(chunk => chunk.length)).toEqual([1, 1, 1])
  expect(chunksOf([])).toEqual([])
})

test('a dead letter survives its way as a message', () => {
  const letter = {
    partition: 2,
    offset: 2n ** 60n,
    key: 'ключ',
    value: Buffer.from([0, 255]),
    reason: 'too long\nreally',
    attempts: 3,
    atMs: 1_753_000_000_000
  }
  const { key, value, headers } = deadLetterMessage('docs', letter)
  expect(key).toBe(`docs-2-${2n ** 60n}`)
  const raw = Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, text]) => [name, Buffer.from(String(text))])
  )
  const fetched = { offset: '0', timestamp: '1', key: null, value: Buffer.from(value ?? ''), headers: raw }
  expect(deadLetterOf(fetched)).toEqual(letter)
  expect(deadLetterOf({ ...fetched, headers: {} })).toBe(undefined)
})
