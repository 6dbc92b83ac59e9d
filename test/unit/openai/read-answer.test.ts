import { readAnswer } from '@pointsman/core/adapters/openai/read-answer'
import { expect, test } from 'vitest'

const one = [0.6, 0.8, 0, 0]
const other = [0, 0, 1, 0]

function bytes(numbers: readonly number[]): Buffer {
  return Buffer.from(Float32Array.from(numbers).buffer)
}

function base64(numbers: readonly number[]): string {
  return bytes(numbers).toString('base64')
}

/** An answer with one item for each embedding, in order. */
function body(embeddings: readonly unknown[], blanks?: number): Buffer {
  const data = embeddings.map((embedding, index) => ({ object: 'embedding', index, embedding }))
  const answer = {
    object: 'list',
    data,
    model: 'ein Modell für alles',
    usage: { prompt_tokens: 7, total_tokens: 7 }
  }
  return Buffer.from(JSON.stringify(answer, undefined, blanks))
}

function vectorsOf(answer: Buffer, count: number): readonly Buffer[] {
  return readAnswer(answer, count, 4).vectors.map(vector => Buffer.from(vector))
}

test.each([
  ['on one line', 0],
  ['printed with blanks, as OpenAI does', 2]
])('reads vectors and tokens from an answer %s', (_, blanks) => {
  const answer = body([base64(one), base64(other)], blanks)
  expect(vectorsOf(answer, 2)).toEqual([bytes(one), bytes(other)])
  expect(readAnswer(answer, 2, 4).paidTokens).toBe(7)
})

test('reads an answer that begins in the middle of its buffer', () => {
  const answer = body([base64(one)])
  const larger = Buffer.concat([Buffer.from('before'), answer, Buffer.from('behind')])
  expect(vectorsOf(larger.subarray(6, 6 + answer.length), 1)).toEqual([bytes(one)])
})

test('reads base64 with escaped slashes, and floats beside it', () => {
  const slashes = [-3.4e38, 0, 0, 0]
  const answer = body([base64(slashes), other])
  const escaped = Buffer.from(answer.toString().replaceAll('/', String.raw`\/`))
  expect(escaped).not.toEqual(answer)
  expect(vectorsOf(escaped, 2)).toEqual([bytes(slashes), bytes(other)])
})

test.each([
  ['a vector too short', [base64([1, 0])]],
  ['a vector too long', [base64([1, 0, 0, 0, 0])]],
  ['a number in the place of a vector', [0]],
  ['a number that looks like the place of another vector', [0, base64(one)]],
  ['a vector twice under one name', [base64(one), 0]],
  ['null in the place of a vector', [null]],
  ['not a number', [base64([Number.NaN, 0, 0, 1])]],
  ['no direction at all', [base64([0, 0, 0, 0])]],
  ['one vector too many', [base64(one), base64(other), base64(one)]]
])('refuses %s', (_, embeddings) => {
  const count = Math.min(embeddings.length, 2)
  expect(() => readAnswer(body(embeddings), count, 4)).toThrow()
})

test('refuses half an answer', () => {
  const answer = body([base64(one), base64(other)])
  for (const share of [0.3, 0.5, 0.7, 0.9]) {
    const half = answer.subarray(0, Math.floor(answer.length * share))
    expect(() => readAnswer(half, 2, 4)).toThrow()
  }
})

test('released, its vectors are empty, so that nobody writes what another request put in their place', () => {
  const { release, vectors } = readAnswer(body([base64(one), base64(other)]), 2, 4)
  release()
  expect(vectors.map(({ byteLength }) => byteLength)).toEqual([0, 0])
})
