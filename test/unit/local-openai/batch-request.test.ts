import { ApiError } from '@pointsman/local-openai/api-error'
import { parseBatchRequest } from '@pointsman/local-openai/batches/batch-request'
import { expect, test } from 'vitest'

const sound = { input_file_id: 'file-1', endpoint: '/v1/embeddings', completion_window: '24h' }

function refusal(body: unknown): unknown {
  try {
    return parseBatchRequest(body)
  } catch (error) {
    return error instanceof ApiError ? { status: error.status, ...error.body.error } : error
  }
}

test('a sound body is taken, whatever file it names', () => {
  expect(parseBatchRequest(sound)).toEqual({
    inputFileId: 'file-1',
    endpoint: '/v1/embeddings',
    metadata: null,
    outputExpiresAfterMs: 30 * 86_400_000
  })
  const metadata = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`k${at}`, 'x'.repeat(512)]))
  const life = { anchor: 'created_at', seconds: 3600 }
  expect(parseBatchRequest({ ...sound, metadata, output_expires_after: life })).toMatchObject({
    metadata,
    outputExpiresAfterMs: 3_600_000
  })
})

test.each<[string, unknown, object]>([
  ['no object', [], { param: null }],
  ['an unknown field', { ...sound, model: 'x' }, { param: 'model', code: 'unknown_parameter' }],
  [
    'no file',
    { ...sound, input_file_id: undefined },
    { param: 'input_file_id', code: 'missing_required_parameter' }
  ],
  [
    'a file that is no string',
    { ...sound, input_file_id: 5 },
    { param: 'input_file_id', code: 'invalid_type' }
  ],
  [
    'an unknown endpoint',
    { ...sound, endpoint: '/v1/x' },
    {
      message:
        "Invalid value: '/v1/x'. Supported values are: '/v1/responses', '/v1/chat/completions', '/v1/embeddings', '/v1/completions', '/v1/moderations', '/v1/images/generations', '/v1/images/edits', and '/v1/videos'.",
      param: 'endpoint',
      code: 'invalid_value'
    }
  ],
  [
    'another window',
    { ...sound, completion_window: '48h' },
    {
      message: "Invalid value: '48h'. Supported values are: '24h'.",
      param: 'completion_window',
      code: 'invalid_value'
    }
  ],
  ['metadata that is no object', { ...sound, metadata: 'x' }, { param: 'metadata', code: 'invalid_type' }],
  [
    'a list in the metadata',
    { ...sound, metadata: { tags: [] } },
    {
      message: "Invalid type for 'metadata.tags': expected a string, but got an array instead.",
      param: 'metadata.tags',
      code: 'invalid_type'
    }
  ],
  [
    '17 pairs',
    { ...sound, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [at, ''])) },
    {
      param: 'metadata',
      code: 'object_above_max_properties'
    }
  ],
  [
    'a long key',
    { ...sound, metadata: { ['k'.repeat(65)]: '' } },
    { param: 'metadata', code: 'string_above_max_length' }
  ],
  [
    'a long value',
    { ...sound, metadata: { k: 'x'.repeat(513) } },
    { param: 'metadata.k', code: 'string_above_max_length' }
  ],
  [
    'outputs that expire at once',
    { ...sound, output_expires_after: { anchor: 'created_at', seconds: 0 } },
    {
      param: 'output_expires_after.seconds',
      code: 'integer_below_min_value'
    }
  ],
  [
    'outputs that expire from elsewhere',
    { ...sound, output_expires_after: { anchor: 'now', seconds: 3600 } },
    {
      param: 'output_expires_after.anchor'
    }
  ],
  [
    'outputs that expire without a moment',
    { ...sound, output_expires_after: {} },
    { param: 'output_expires_after.anchor' }
  ]
])('a body with %s is refused at once', (_what, body, error) => {
  expect(refusal(body)).toMatchObject({ status: 400, type: 'invalid_request_error', ...error })
})
