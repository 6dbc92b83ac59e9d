import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { openLocalOpenai } from '../support/local-openai-under-test.ts'
import { openaiPythonPath, runPython } from '../support/openai-python.ts'

const script = fileURLToPath(import.meta.resolve('../support/drive-batch.py'))
let pythonPath: string

// The first time, some 10 MB come from the package index.
beforeAll(async () => {
  pythonPath = await openaiPythonPath()
}, 120_000)

test('the official Python package uploads, creates, polls, downloads and cancels', async () => {
  await using server = await openLocalOpenai()
  const seen = await runPython(script, pythonPath, {
    OPENAI_BASE_URL: server.url,
    OPENAI_API_KEY: 'test-key',
    ADMIN_URL: server.adminUrl,
    // Of whoever runs the test: the server is here.
    NO_PROXY: '127.0.0.1'
  })
  expect(JSON.parse(seen)).toEqual({
    version: expect.any(String),
    fileStatus: 'processed',
    createdStatus: 'validating',
    metadata: { by: 'python' },
    counts: { total: 5, completed: 5, failed: 0 },
    usage: 20,
    ids: ['line-0', 'line-1', 'line-2', 'line-3', 'line-4'],
    sameVector: true,
    cancellingStatus: 'cancelling',
    cancelledCounts: { total: 5, completed: 2, failed: 0 },
    cancelledErrors: ['batch_cancelled', 'batch_cancelled', 'batch_cancelled'],
    listed: true,
    cancelAgain: { type: 'ConflictError', status: 409 },
    deleted: { type: 'NotFoundError', status: 404 }
  })
  expect(await server.get('/bill')).toMatchObject({
    realtime: { requests: 1 },
    batch: { jobs: 2, inputs: 7, tokens: 28 }
  })
})
