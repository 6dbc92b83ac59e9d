import { cutLine, cutMark } from '@pointsman/core/adapters/openai/cut-line'
import { outcomeOf } from '@pointsman/core/adapters/openai/line-outcome'
import type { LineOutcome } from '@pointsman/core/ports/batch-provider'
import { expect, test } from 'vitest'
import {
  answered,
  answeredWith,
  base64,
  customId,
  notRun,
  refused,
  vectorBytes
} from '../../support/result-lines.ts'

const id = customId(1)
const good = [-3.4e38, 0.5, 3, 0]

function outcome(line: object | string): LineOutcome {
  const buffer = Buffer.from(typeof line === 'string' ? line : JSON.stringify(line))
  const cut = cutLine(buffer, 0, buffer.length)
  if (cut === undefined) throw new Error('not JSON')
  return outcomeOf(cut, buffer, Buffer.alloc(good.length * 4))
}

const text = JSON.stringify(answered(id, base64(good)))

test.each([
  ['base64', text],
  ['base64 with escaped slashes', text.replaceAll('/', String.raw`\/`)],
  [
    'base64 with all that can be escaped',
    text.replaceAll('/', String.raw`\u002F`).replaceAll('+', String.raw`\u002B`)
  ],
  ['floats', JSON.stringify(answered(id, [...new Float32Array(good)]))],
  ['floats over several lines', JSON.stringify(answered(id, [...new Float32Array(good)]), undefined, 2)],
  ['a status in words', text.replace('"status_code":200', '"status_code":"200"')],
  ['no status at all', text.replace('"status_code":200,', '')],
  ['an error beside it', text.replace('"error":null', '"error":{"code":"x","message":"y"}')],
  ['a further vector elsewhere', text.replace('"error":null', '"error":null,"more":{"embedding":"AAAA"}')]
])('a line with %s is the vector, and its tokens were paid', (_, line) => {
  const found = outcome(line)
  expect(found).toMatchObject({ kind: 'vector', paidTokens: 3 })
  expect(found.kind === 'vector' && Buffer.from(found.vector)).toEqual(vectorBytes(good))
})

test.each([
  ['too short', answered(id, base64(good.slice(1))), 'has 12 bytes, not the 16 of 4 dimensions'],
  ['too long', answered(id, base64([...good, 1])), 'has 20 bytes, not the 16 of 4 dimensions'],
  ['cut within a number', answered(id, vectorBytes(good).subarray(1).toString('base64')), 'has 15 bytes'],
  ['not a number', answered(id, base64([1, Number.NaN, 0, 0])), 'has a component that is not finite'],
  [
    'infinite',
    answered(id, base64([1, Number.POSITIVE_INFINITY, 0, 0])),
    'has a component that is not finite'
  ],
  ['all zero', answered(id, base64([0, -0, 0, 0])), 'is all zero'],
  ['no base64', answered(id, '????'), 'has 0 bytes'],
  ['too few floats', answered(id, good.slice(1)), 'has 12 bytes'],
  ['a float too large', answered(id, [1e39, 0, 0, 0]), 'has a component that is not finite'],
  ['null among the floats', answered(id, [1, null, 0, 0]), 'has a component that is not finite'],
  ['NaN as Python writes it', text.replace(`"${base64(good)}"`, '[NaN, 0.5, 3.0, 0.0]'), 'not finite'],
  ['null', answered(id, null), 'holds no vector'],
  [
    'two vectors',
    answeredWith(id, { data: [{ embedding: 'AAAA' }, { embedding: 'AAAA' }] }),
    'holds 2 vectors'
  ],
  ['an empty body', answeredWith(id, {}), 'holds 0 vectors'],
  ['no body', answeredWith(id, null), 'holds 0 vectors'],
  ['an error with status 200', answeredWith(id, { error: { message: 'no' } }), 'holds 0 vectors']
])('what was paid for and is %s is never tried again, and says why', (_, line, reason) => {
  expect(outcome(line)).toMatchObject({ kind: 'rejected', reason: expect.stringContaining(reason) })
})

test('an unusable vector was paid for', () => {
  expect(outcome(answered(id, base64([0, 0, 0, 0]), 17))).toMatchObject({ kind: 'rejected', paidTokens: 17 })
})

test.each([
  refused(id, 400, "Invalid 'input[0]': maximum input length is 8192 tokens."),
  refused(id, 400, "Invalid 'input[0]': input cannot be an empty string"),
  refused(id, 400, "'$.input' is invalid. Please check the API reference."),
  refused(id, 400, "This model's maximum context length is 8192 tokens, however you requested 9000 tokens"),
  refused(id, 413, 'Request too large.'),
  refused(id, 422, 'input: field required'),
  answeredWith(id, { error: { message: 'no', param: 'input', code: 'invalid_value' } }, 400),
  answeredWith(id, { error: { message: 'Requested 453357 tokens', code: 'max_tokens_per_request' } }, 400),
  answeredWith(id, { detail: 'the input is too long' }, 400)
])('a refusal of the text is final and was not paid: %#', line => {
  expect(outcome(line)).toMatchObject({
    kind: 'rejected',
    paidTokens: 0,
    reason: expect.stringMatching(/^status 4/)
  })
})

test.each([
  [notRun(id, 'batch_expired'), 'batch_expired: It did not run.'],
  [notRun(id, 'batch_cancelled'), 'batch_cancelled: It did not run.'],
  [notRun(id, 'request_timeout'), 'request_timeout: It did not run.'],
  [refused(id, 429, 'Rate limit reached'), 'status 429: invalid_request_error: Rate limit reached'],
  [refused(id, 500, 'The server had an error'), 'status 500: invalid_request_error: The server had an error'],
  [
    refused(id, 401, 'Incorrect API key provided'),
    'status 401: invalid_request_error: Incorrect API key provided'
  ],
  [
    refused(id, 400, 'This model does not support specifying dimensions.'),
    'status 400: invalid_request_error'
  ],
  [answeredWith(id, null, 0), 'status 0'],
  [answeredWith(id, 'upstream error', 503), 'status 503: upstream error'],
  [{ custom_id: id, response: null, error: 'gone wrong' }, 'gone wrong'],
  [
    { custom_id: id, response: { status_code: 500, body: { error: { message: 'x' } } }, error: '' },
    'status 500: x'
  ],
  [{ custom_id: id }, 'neither an answer nor an error'],
  [refused(id, 500, 'long '.repeat(1_000)), 'status 500']
])('anything else may succeed another time: %#', (line, reason) => {
  const found = outcome(line)
  expect(found).toMatchObject({ kind: 'failed', reason: expect.stringContaining(reason) })
  expect(found.kind === 'failed' && found.reason.length).toBeLessThanOrEqual(500)
})

test('a text that looks like the mark of a cut is not given the vector of another place', () => {
  const first = { ...answered(id, cutMark), more: { embedding: base64(good) } }
  const last = { more: { embedding: base64(good) }, ...answered(id, cutMark) }
  for (const line of [first, last]) expect(outcome(line).kind).toBe('rejected')
})
