import { expect, test } from 'vitest'
import { batchLines, createBatch, readLines, waitForBatch } from '../../support/local-openai-batch.ts'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'

test('a batch goes from upload to download with the official client', async () => {
  await using server = await openLocalOpenai()
  const client = server.client()
  const created = await createBatch(client, batchLines(300), { metadata: { run: 'a' } })
  expect(created).toMatchObject({ status: 'validating', errors: null, metadata: { run: 'a' } })
  const done = await waitForBatch(client, created.id, 'completed')
  expect(done.request_counts).toEqual({ total: 300, completed: 300, failed: 0 })
  const lines = await readLines(client, done.output_file_id)
  expect(new Set(lines.map(line => line.custom_id)).size).toBe(300)
  expect(await server.get('/bill')).toMatchObject({ batch: { jobs: 1, inputs: 300 } })
})
