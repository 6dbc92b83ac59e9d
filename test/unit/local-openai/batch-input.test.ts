import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Inspection } from '@pointsman/local-openai/batches/batch-record'
import { inspectInput } from '@pointsman/local-openai/batches/inspect-input'
import { JobInput } from '@pointsman/local-openai/batches/job-input'
import { Turns } from '@pointsman/local-openai/batches/turns'
import { openaiModels } from '@pointsman/local-openai/models'
import { TokenCounter } from '@pointsman/local-openai/token-counter'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchLine, batchLines, batchModel } from '../../support/local-openai-batch.ts'

const never = new AbortController().signal
const folder = mkdtempSync(join(tmpdir(), 'local-openai-'))
const counter = new TokenCounter()
const turns = new Turns()
let files = 0

function write(content: string | Buffer): string {
  const path = join(folder, String(files++))
  writeFileSync(path, content)
  return path
}

function inspect(content: string | Buffer): Promise<Inspection> {
  return inspectInput(
    write(content),
    { endpoint: '/v1/embeddings', models: openaiModels, counter, turns },
    never
  )
}

const body = { model: batchModel, input: 'hello' }
const other = 'text-embedding-3-large'

test('sound input is counted', async () => {
  expect(await inspect(batchLines(10))).toEqual({ errors: [], lines: 10, tokens: 40, model: batchModel })
  expect(await inspect(batchLines(10).trimEnd())).toMatchObject({ errors: [], lines: 10 })
  expect(await inspect(batchLines(3).replaceAll('\n', '\r\n'))).toMatchObject({ errors: [], lines: 3 })
})

test.each<[string, string | Buffer, string, string, string | null]>([
  ['no JSON', '{"custom_id":', 'invalid_json_line', 'This line is not parseable as valid JSON.', null],
  ['a list', '[1]', 'invalid_json_line', 'This line is not parseable as valid JSON.', null],
  ['a blank line', '', 'invalid_json_line', 'This line is not parseable as valid JSON.', null],
  [
    'what is not UTF-8',
    Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]),
    'invalid_json_line',
    'This line is not parseable as valid JSON.',
    null
  ],
  [
    'no custom_id',
    batchLine(1, { custom_id: undefined }),
    'missing_required_parameter',
    "Missing required parameter: 'custom_id'.",
    'custom_id'
  ],
  [
    'no method',
    batchLine(1, { method: undefined }),
    'missing_required_parameter',
    "Missing required parameter: 'method'.",
    'method'
  ],
  [
    'no url',
    batchLine(1, { url: undefined }),
    'missing_required_parameter',
    "Missing required parameter: 'url'.",
    'url'
  ],
  [
    'no body',
    batchLine(1, { body: undefined }),
    'missing_required_parameter',
    "Missing required parameter: 'body'.",
    'body'
  ],
  [
    'another method',
    batchLine(1, { method: 'GET' }),
    'invalid_request',
    "Invalid method: 'GET'. Expected 'POST'.",
    'method'
  ],
  [
    'another endpoint',
    batchLine(1, { url: '/v1/responses' }),
    'invalid_url',
    'The URL provided for this request does not match the batch endpoint.',
    'url'
  ],
  [
    'no model',
    batchLine(1, { body: { input: 'a' } }),
    'invalid_request',
    'Model parameter is required.',
    'body.model'
  ],
  [
    'an unknown model',
    batchLine(1, { body: { ...body, model: 'x' } }),
    'model_not_found',
    "The provided model 'x' is not supported by the Batch API.",
    'body.model'
  ],
  [
    'streaming',
    batchLine(1, { body: { ...body, stream: true } }),
    'streaming_unsupported',
    'Chat Completions: Streaming is not supported in the Batch API.',
    'body.stream'
  ],
  [
    'a custom_id used before',
    batchLine(0),
    'duplicate_custom_id',
    "The custom_id 'line-0' for this request is a duplicate of another request. The custom_id parameter must be unique for each request in a batch.",
    'custom_id'
  ],
  [
    'a second model',
    batchLine(1, { body: { ...body, model: other } }),
    'mismatched_model',
    `The model '${other}' for this request does not match the rest of the batch. Each batch must contain requests for a single model.`,
    'body.model'
  ],
  [
    'a long custom_id',
    batchLine(1, { custom_id: 'x'.repeat(65) }),
    'invalid_request',
    "Invalid 'custom_id': expected a string with maximum length 64.",
    'custom_id'
  ]
])('a line with %s is complained of, and its line named', async (_what, line, code, message, param) => {
  const content = Buffer.concat([
    Buffer.from(`${batchLine(0)}\n`),
    Buffer.from(line),
    Buffer.from(`\n${batchLine(2)}\n`)
  ])
  expect((await inspect(content)).errors).toEqual([{ code, message, line: 2, param }])
})

test('a byte order mark makes the first line unparsable', async () => {
  const { errors } = await inspect(`\u{FEFF}${batchLines(2)}`)
  expect(errors).toMatchObject([{ code: 'invalid_json_line', line: 1 }])
})

test('several lines are complained of at once, up to a hundred', async () => {
  const { errors } = await inspect(`${batchLine(0)}\nno\n${batchLine(0)}\n${batchLine(3, { url: '/' })}\n`)
  expect(errors.map(error => [error.line, error.code])).toEqual([
    [2, 'invalid_json_line'],
    [3, 'duplicate_custom_id'],
    [4, 'invalid_url']
  ])
  expect((await inspect('no\n'.repeat(500))).errors).toHaveLength(100)
})

test('what only the endpoint would refuse is no reason not to run the others', async () => {
  const refused = batchLine(1, { body: { ...body, input: '' } })
  expect(await inspect(`${batchLine(0)}\n${refused}\n`)).toMatchObject({ errors: [], lines: 2, tokens: 4 })
})

test('more than 50,000 requests, or inputs over all of them, are too many', async () => {
  expect(await inspect(batchLines(50_000))).toMatchObject({ errors: [], lines: 50_000 })
  expect((await inspect(batchLines(50_001))).errors).toMatchObject([
    { code: 'too_many_requests', line: null }
  ])
  const many = (count: number): string =>
    Array.from({ length: 25 }, (_, index) =>
      batchLine(index, {
        body: { ...body, input: Array.from({ length: index === 0 ? count : 2000 }, () => 'a') }
      })
    ).join('\n')
  expect((await inspect(many(2000))).errors).toEqual([])
  expect((await inspect(many(2001))).errors).toMatchObject([{ code: 'too_many_inputs', line: null }])
})

test('an empty file is complained of', async () => {
  expect((await inspect('')).errors).toMatchObject([{ code: 'empty_file', line: null }])
})

test('every line of any file is read once, in an order that the seed gives', async () => {
  const line = fc.oneof(
    { weight: 20, arbitrary: fc.string({ maxLength: 20 }) },
    fc.nat(400_000).map(length => 'é'.repeat(length))
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 300 }), fc.nat(), async (texts, seed) => {
      const lines = texts.map((text, index) => JSON.stringify([index, text]))
      const path = write(lines.join('\n'))
      using input = await JobInput.open(path, seed)
      using again = await JobInput.open(path, seed)
      const read = Array.from({ length: input.lines }, (_, at) => input.read(at).toString().trimEnd())
      expect(read.toSorted()).toEqual(lines.toSorted())
      expect(Array.from({ length: again.lines }, (_, at) => again.read(at).toString().trimEnd())).toEqual(
        read
      )
    }),
    { numRuns: 30 }
  )
})

test('the order is not that of the file', async () => {
  using input = await JobInput.open(write(batchLines(1000)), 5)
  const places = Array.from({ length: 1000 }, (_, at) =>
    Number(/line-(\d+)/.exec(input.read(at).toString())![1])
  )
  expect(places.filter((place, at) => place === at).length).toBeLessThan(50)
  expect(Math.min(...places.slice(0, 200))).toBeLessThan(400)
  expect(Math.max(...places.slice(0, 200))).toBeGreaterThan(600)
})
