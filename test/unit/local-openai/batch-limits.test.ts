import { expect, test } from 'vitest'
import { batchLine, batchLines, createBatch, uploadLines } from '../../support/local-openai-batch.ts'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'

const endpoint = '/v1/embeddings'
const completionWindow = { completion_window: '24h' } as const

test('tokens in the queue are limited by model until a job ends; then the same file goes through', async () => {
  await using server = await openLocalOpenai({ clockFactor: 0, turnaround: { kind: 'fixed', seconds: 7200 } })
  const client = server.client()
  await server.put('/limits', { enqueuedTokens: 1000 })
  const file = await uploadLines(client, batchLines(150))
  const create = () => client.batches.create({ input_file_id: file, endpoint, ...completionWindow })
  const first = await create()
  await server.put('/clock', { advanceSeconds: 60 })
  const second = await create()
  const large = { model: 'text-embedding-3-large', input: 'another pool' }
  const other = await createBatch(client, batchLine(0, { body: large }))
  await server.put('/clock', { advanceSeconds: 60 })
  expect(await client.batches.retrieve(other.id)).toMatchObject({ status: 'in_progress' })
  expect(await client.batches.retrieve(second.id)).toMatchObject({
    status: 'failed',
    errors: {
      data: [
        {
          code: 'token_limit_exceeded',
          message:
            'Enqueued token limit reached for text-embedding-3-small in organization org-local. Limit: 1,000 enqueued tokens. Please try again once some in_progress batches have been completed.',
          line: null,
          param: null
        }
      ]
    }
  })
  await client.batches.cancel(first.id)
  await server.put('/clock', { advanceSeconds: 600 })
  const third = await create()
  await server.put('/clock', { advanceSeconds: 7200 })
  expect(await client.batches.retrieve(third.id)).toMatchObject({ status: 'completed' })
})

test('creations per hour are limited', async () => {
  await using server = await openLocalOpenai({ clockFactor: 0 })
  const client = server.client()
  await server.put('/limits', { batchesPerHour: 2 })
  const file = await uploadLines(client, batchLines(1))
  const create = () => client.batches.create({ input_file_id: file, endpoint, ...completionWindow })
  await create()
  await create()
  await expect(create()).rejects.toMatchObject({ status: 429, code: 'rate_limit_exceeded', type: 'requests' })
  await server.put('/clock', { advanceSeconds: 1800 })
  expect((await create()).status).toBe('validating')
})

test('jobs are listed page by page, the newest first', async () => {
  await using server = await openLocalOpenai()
  const client = server.client()
  const ids: string[] = []
  for (let count = 0; count < 5; count++) ids.push((await createBatch(client, batchLines(1))).id)
  const listed: string[] = []
  for await (const batch of client.batches.list({ limit: 2 })) listed.push(batch.id)
  expect(listed).toEqual(ids.toReversed())
  const raw = await fetch(`${server.url}/batches?limit=2`, { headers: { authorization: 'Bearer k' } })
  expect(await raw.json()).toMatchObject({
    object: 'list',
    has_more: true,
    first_id: ids[4],
    last_id: ids[3]
  })
  expect((await client.batches.list({ after: ids[0]! })).data).toEqual([])
  await expect(client.batches.list({ limit: 101 })).rejects.toMatchObject({ status: 400, param: 'limit' })
  await expect(client.batches.list({ after: 'batch_none' })).rejects.toMatchObject({ status: 404 })
})
