import { isOf, metadataOf, parseReport } from '@pointsman/core/adapters/openai/batch-report'
import type { ObligationId } from '@pointsman/core/domain/identity'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const batch = {
  id: 'batch_1',
  object: 'batch',
  endpoint: '/v1/embeddings',
  errors: null,
  input_file_id: 'file-in',
  completion_window: '24h',
  status: 'completed',
  output_file_id: 'file-out',
  error_file_id: 'file-err',
  created_at: 1_711_471_533,
  request_counts: { total: 100, completed: 95, failed: 5 },
  usage: { input_tokens: 950, output_tokens: 0, total_tokens: 950 },
  metadata: null
}

test('reads a job as OpenAI describes it', () => {
  expect(parseReport(batch)).toEqual({
    batchId: 'batch_1',
    status: 'completed',
    word: 'completed',
    inputFileId: 'file-in',
    outputFileId: 'file-out',
    errorFileId: 'file-err',
    completed: 95,
    failed: 5,
    paidTokens: 950,
    errors: []
  })
})

test.each([
  ['validating', 'validating'],
  ['in_progress', 'in_progress'],
  ['finalizing', 'finalizing'],
  ['expired', 'expired'],
  ['cancelling', 'cancelling'],
  ['cancelled', 'cancelled'],
  ['COMPLETED', 'completed'],
  ['In Progress', 'in_progress'],
  ['in-progress', 'in_progress'],
  ['canceled', 'cancelled'],
  ['pondering', 'unknown'],
  ['', 'unknown'],
  [null, 'unknown'],
  [7, 'unknown']
])('the status %j is %s, and its word is kept', (word, status) => {
  expect(parseReport({ ...batch, status: word })).toMatchObject({
    status,
    word: typeof word === 'string' ? word : ''
  })
})

test.each([[''], [null], [undefined], [{}]])('a file id of %j is none', id => {
  const report = parseReport({ ...batch, output_file_id: id, error_file_id: id })
  expect(report).toMatchObject({ outputFileId: undefined, errorFileId: undefined })
})

test.each([
  [undefined, undefined],
  [null, undefined],
  [{}, undefined],
  [{ total_tokens: 0 }, undefined],
  [{ input_tokens: 12 }, 12],
  [{ prompt_tokens: '12' }, 12]
])('of the usage %j the tokens are %j', (usage, paidTokens) => {
  expect(parseReport({ ...batch, usage })?.paidTokens).toBe(paidTokens)
})

test('a job that did nothing was charged nothing', () => {
  const report = parseReport({ ...batch, usage: { total_tokens: 0 }, request_counts: { completed: 0 } })
  expect(report?.paidTokens).toBe(0)
})

test('no counts are none done, and counts may be texts', () => {
  expect(parseReport({ ...batch, request_counts: null })).toMatchObject({ completed: 0, failed: 0 })
  expect(parseReport({ ...batch, request_counts: { completed: '3' } })).toMatchObject({
    completed: 3,
    failed: 0
  })
})

test('the errors of a failed job come with code, message and line', () => {
  const data = [
    { code: 'invalid_json_line', line: 3, message: 'This line is not parseable as valid JSON.', param: null },
    { code: 'invalid_request', line: null, message: 'Model parameter is required.', param: 'body.model' },
    { code: null, line: '7', message: 'Enqueued token limit reached for text-embedding-3-small in org.' },
    { message: 'long '.repeat(1_000), line: 0 }
  ]
  const errors = parseReport({ ...batch, status: 'failed', errors: { object: 'list', data } })?.errors
  expect(errors).toMatchObject([
    { code: 'invalid_json_line', line: 3 },
    { code: 'invalid_request', message: 'Model parameter is required.', line: undefined },
    { code: 'token_limit_exceeded', line: 7 },
    { code: 'unknown', line: undefined }
  ])
  expect(errors?.[3]?.message).toHaveLength(500)
})

test.each([
  ['a text', 'the file is empty'],
  ['a list', [{ message: 'the file is empty' }]],
  ['a detail', { detail: 'the file is empty' }]
])('errors that are %s are understood', (_, errors) => {
  expect(parseReport({ ...batch, status: 'failed', errors })?.errors).toEqual([
    { code: 'unknown', message: 'the file is empty', line: undefined }
  ])
})

test('only a failed job has errors', () => {
  const errors = { data: [{ code: 'x', message: 'y' }] }
  expect(parseReport({ ...batch, errors })?.errors).toEqual([])
  expect(parseReport({ ...batch, status: 'failed', errors: null })?.errors).toEqual([])
})

test('what has no id is no job', () => {
  for (const answer of [{}, null, 'html', [], { id: '' }, { id: 7 }])
    expect(parseReport(answer)).toBeUndefined()
})

test('no answer breaks the reading', () => {
  const holes = fc.dictionary(fc.constantFrom(...Object.keys(batch)), fc.jsonValue())
  const read = fc.property(holes, fc.constantFrom('failed', 'completed'), (hole, status) => {
    expect(parseReport({ ...batch, status, ...hole, id: 'batch_1' })?.batchId).toBe('batch_1')
  })
  fc.assert(read)
})

test('a create call is known by all four of its names', () => {
  const key = { namespace: 'n', ledger: 'l', manifest: '1.1.1' as ObligationId, create: 2 }
  const metadata = metadataOf(key)
  expect(metadata).toEqual({
    pointsman_namespace: 'n',
    pointsman_ledger: 'l',
    pointsman_manifest: '1.1.1',
    pointsman_create: '2'
  })
  expect(isOf({ metadata: { ...metadata, other: 'x' } }, key)).toBe(true)
  expect(isOf({ metadata: { ...metadata, pointsman_create: 2 } }, key)).toBe(true)
  for (const name of Object.keys(metadata))
    expect(isOf({ metadata: { ...metadata, [name]: 'x' } }, key)).toBe(false)
  for (const other of [undefined, null, {}, 'text']) expect(isOf({ metadata: other }, key)).toBe(false)
})
