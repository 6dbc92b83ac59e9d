import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { endOfJob, idsOf } from '../../support/job-under-faults.ts'
import type { FaultRuleInput } from '../../support/job-under-faults.ts'
import { batchLines, createBatch, uploadLines, waitForBatch } from '../../support/local-openai-batch.ts'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'
import type { LocalOpenaiUnderTest } from '../../support/local-openai-under-test.ts'

const embeddings = { endpoint: '/v1/embeddings', completion_window: '24h' } as const

function openServer(...rules: FaultRuleInput[]): Promise<LocalOpenaiUnderTest> {
  return openLocalOpenai({ clockFactor: 0, faults: { rules } })
}

async function download(server: LocalOpenaiUnderTest, fileId: string): Promise<Response> {
  return await fetch(`${server.url}/files/${fileId}/content`, { headers: { authorization: 'Bearer key' } })
}

describe('what is done although its answer never comes', () => {
  test.each([
    { kind: 'reset_after_commit', route: 'files.create' },
    { kind: 'hang', stage: 'after_commit', route: 'files.create' }
  ] as const)('is an upload: $kind', async fault => {
    await using server = await openServer(fault)
    const client = server.client().withOptions({ timeout: 300 })
    await expect(uploadLines(client, batchLines(1))).rejects.toThrow(/Connection error|timed out/)
    expect((await client.files.list()).data).toHaveLength(1)
  })

  test('is a job that was created, and one that was cancelled', async () => {
    await using server = await openServer(
      { kind: 'reset_after_commit', route: 'batches.create', nth: 1 },
      { kind: 'reset_after_commit', route: 'batches.cancel', nth: 1 },
      { kind: 'job_stuck' },
      { kind: 'job_cancel', seconds: 60 }
    )
    const client = server.client()
    await expect(createBatch(client, batchLines(1))).rejects.toThrow(/Connection error/)
    const [job] = (await client.batches.list()).data
    await expect(client.batches.cancel(job!.id)).rejects.toThrow(/Connection error/)
    expect((await client.batches.retrieve(job!.id)).status).toBe('cancelling')
    expect(await server.get('/journal')).toMatchObject({
      exchanges: expect.arrayContaining([expect.objectContaining({ fault: 'reset_after_commit', status: 0 })])
    })
  })

  test('is a second job when the client repeats the create by itself', async () => {
    await using server = await openServer({ kind: 'reset_after_commit', route: 'batches.create', nth: 1 })
    await createBatch(server.client(2), batchLines(1))
    expect((await server.client().batches.list()).data).toHaveLength(2)
  })

  test('is a file that was deleted', async () => {
    await using server = await openServer({ kind: 'reset_after_commit', route: 'files.delete' })
    const client = server.client()
    const file = await uploadLines(client, batchLines(1))
    await expect(client.files.delete(file)).rejects.toThrow(/Connection error/)
    expect((await client.files.list()).data).toEqual([])
  })

  test('is a job whose answer comes late: it is there meanwhile', async () => {
    await using server = await openServer({ kind: 'slow_headers', delayMs: 300, route: 'batches.create' })
    const client = server.client()
    let isAnswered = false
    const creating = createBatch(client, batchLines(1)).then(() => (isAnswered = true))
    await expect.poll(async () => (await client.batches.list()).data.length).toBe(1)
    expect(isAnswered).toBe(false)
    await creating
  })
})

describe('what is not done', () => {
  test('is a create that is answered 429, with the wait that was told, or that is reset before', async () => {
    await using server = await openServer(
      { kind: 'rate_limited', retryAfter: 7, route: 'batches.create', nth: 1 },
      { kind: 'reset_before', route: 'batches.create', nth: 2 }
    )
    const client = server.client()
    await expect(createBatch(client, batchLines(1))).rejects.toMatchObject({ status: 429 })
    await expect(createBatch(client, batchLines(1))).rejects.toThrow(/Connection error/)
    expect((await client.batches.list()).data).toEqual([])
  })

  test('is an upload that is answered 500 or 401', async () => {
    await using server = await openServer(
      { kind: 'http_error', status: 500, route: 'files.create', nth: 1 },
      { kind: 'unauthorized', route: 'files.create', nth: 2 }
    )
    const client = server.client()
    await expect(uploadLines(client, batchLines(2000))).rejects.toMatchObject({ status: 500 })
    await expect(uploadLines(client, batchLines(1))).rejects.toMatchObject({ status: 401 })
    expect((await client.files.list()).data).toEqual([])
  })
})

describe('a download', () => {
  test('is answered 502 with a page, and then comes whole', async () => {
    await using server = await openServer({
      kind: 'http_error',
      status: 502,
      body: 'html',
      route: 'files.content',
      nth: 1
    })
    const client = server.client()
    const file = await uploadLines(client, batchLines(3))
    const refused = await download(server, file)
    expect([refused.status, refused.headers.get('content-type')]).toEqual([502, 'text/html; charset=utf-8'])
    expect(await (await download(server, file)).text()).toBe(batchLines(3))
  })

  test('is cut at a byte: the connection breaks before the length that was told', async () => {
    await using server = await openServer({ kind: 'cut_body', atByte: 100, route: 'files.content' })
    const answer = await download(server, await uploadLines(server.client(), batchLines(3)))
    expect(answer.headers.get('content-length')).toBe(String(batchLines(3).length))
    const chunks: Uint8Array[] = []
    const reading = (async () => {
      for await (const chunk of answer.body!) chunks.push(chunk)
    })()
    await expect(reading).rejects.toThrow('terminated')
    expect(Buffer.concat(chunks).toString()).toBe(batchLines(3).slice(0, 100))
  })

  test('is cut and ends as if it were whole', async () => {
    await using server = await openServer({ kind: 'cut_body', clean: true, at: 0.5, route: 'files.content' })
    const answer = await download(server, await uploadLines(server.client(), batchLines(4)))
    expect(answer.headers.get('content-length')).toBeNull()
    expect(await answer.text()).toBe(batchLines(4).slice(0, batchLines(4).length / 2))
  })

  test('stalls in the middle, and the server stops all the same', async () => {
    await using server = await openServer({ kind: 'stalled_body', at: 0.5, route: 'files.content' })
    const answer = await download(server, await uploadLines(server.client(), batchLines(4)))
    const reader = answer.body!.getReader()
    expect((await reader.read()).value).toHaveLength(batchLines(4).length / 2)
    const next = expect(reader.read()).rejects.toThrow('terminated')
    await server[Symbol.asyncDispose]()
    await next
  })
})

describe('a poll', () => {
  test('meets three 502 in a row', async () => {
    const polls = {
      kind: 'http_error',
      status: 502,
      route: 'batches.retrieve',
      nth: { from: 2, to: 4 }
    } as const
    await using server = await openServer(polls)
    const client = server.client()
    const { id } = await createBatch(client, batchLines(1))
    const statuses: unknown[] = []
    for (let poll = 0; poll < 5; poll++) {
      const answer = await client.batches.retrieve(id).catch((error: unknown) => error)
      statuses.push(Object(answer).status === 502 ? 502 : 200)
    }
    expect(statuses).toEqual([200, 502, 502, 502, 200])
  })

  test('sees no file ids at first when the job has ended: null, empty or absent, for each job anew', async () => {
    const first = { route: 'batches.retrieve', whileStatus: 'completed', perId: true } as const
    await using server = await openServer(
      { ...first, kind: 'missing_file_ids', nth: 1 },
      { ...first, kind: 'missing_file_ids', as: 'empty', file: 'output', nth: 2 },
      { ...first, kind: 'missing_file_ids', as: 'absent', file: 'output', nth: 3 },
      { kind: 'line_error', nth: 1 }
    )
    const client = server.client()
    for (let job = 0; job < 2; job++) {
      const { id } = await createBatch(client, batchLines(2))
      const polls: { output_file_id?: string | null; error_file_id?: string | null }[] = []
      const poll = async (): Promise<number> => {
        const shown = await client.batches.retrieve(id)
        if (shown.status === 'completed') polls.push(shown)
        return polls.length
      }
      await expect.poll(poll).toBe(4)
      expect(polls.map(shown => shown.output_file_id)).toEqual([
        null,
        '',
        undefined,
        expect.stringMatching('file-')
      ])
      expect(polls[0]?.error_file_id).toBeNull()
      expect(polls[1]?.error_file_id).toMatch('file-')
    }
  })

  test('sees "" for a file that is not there', async () => {
    await using server = await openServer({ kind: 'empty_file_ids' })
    const { id } = await createBatch(server.client(), batchLines(1))
    expect(await waitForBatch(server.client(), id, 'completed')).toMatchObject({
      output_file_id: expect.stringMatching('file-'),
      error_file_id: ''
    })
  })

  test('sees counts that do not agree, statuses that nobody knows, and ones that come back', async () => {
    const ended = { route: 'batches.retrieve', whileStatus: 'completed' } as const
    await using server = await openServer(
      { ...ended, kind: 'wrong_counts', total: 1, completed: 7, nth: 2 },
      { ...ended, kind: 'wrong_status', nth: 3 },
      { ...ended, kind: 'wrong_status', shown: 'in_progress', nth: 4 }
    )
    const client = server.client()
    const { id } = await createBatch(client, batchLines(2))
    await expect.poll(async () => (await client.batches.retrieve(id)).status).toBe('completed')
    expect((await client.batches.retrieve(id)).request_counts).toEqual({ total: 1, completed: 7, failed: 0 })
    expect((await client.batches.retrieve(id)).status).toBe('paused')
    expect(await client.batches.retrieve(id)).toMatchObject({ status: 'in_progress', output_file_id: null })
    expect(await client.batches.retrieve(id)).toMatchObject({ status: 'completed' })
  })

  test('is answered with cut JSON, JSON that is none, or a page', async () => {
    await using server = await openServer(
      { kind: 'truncated_json', route: 'batches.retrieve', nth: 1 },
      { kind: 'malformed_json', route: 'batches.retrieve', nth: 2 },
      { kind: 'wrong_content_type', route: 'batches.retrieve', nth: 3 },
      { kind: 'cut_body', route: 'batches.retrieve', nth: 4 }
    )
    const client = server.client()
    const { id } = await createBatch(client, batchLines(1))
    await expect(client.batches.retrieve(id)).rejects.toThrow(SyntaxError)
    await expect(client.batches.retrieve(id)).rejects.toThrow(SyntaxError)
    expect(await client.batches.retrieve(id)).toBeTypeOf('string')
    await expect(client.batches.retrieve(id)).rejects.toThrow()
    expect((await client.batches.retrieve(id)).id).toBe(id)
  })

  test('about one job meets a fault, about another one none', async () => {
    await using server = await openServer()
    const client = server.client()
    const bad = await createBatch(client, batchLines(1))
    const good = await createBatch(client, batchLines(1))
    await server.put('/faults', { rules: [{ kind: 'http_error', route: 'any', id: bad.id }] })
    await expect(client.batches.retrieve(bad.id)).rejects.toMatchObject({ status: 500 })
    expect((await client.batches.retrieve(good.id)).id).toBe(good.id)
  })
})

describe('an uploaded file', () => {
  test('is not found for a while, by jobs neither', async () => {
    await using server = await openServer({ kind: 'file_hidden', seconds: 30, nth: 1 })
    const client = server.client()
    const file = await uploadLines(client, batchLines(1))
    await expect(client.files.retrieve(file)).rejects.toMatchObject({ status: 404, param: 'id' })
    expect((await download(server, file)).status).toBe(404)
    expect((await client.files.list()).data).toEqual([])
    const early = await client.batches.create({ input_file_id: file, ...embeddings })
    const { errors } = await waitForBatch(client, early.id, 'failed')
    expect(errors?.data).toMatchObject([{ code: 'invalid_request', param: 'file_id' }])
    await server.put('/clock', { advanceSeconds: 30 })
    expect((await client.files.retrieve(file)).id).toBe(file)
    const job = await client.batches.create({ input_file_id: file, ...embeddings })
    await waitForBatch(client, job.id, 'completed')
  })

  test('has expired before a job asks for it', async () => {
    await using server = await openServer({ kind: 'file_expired', afterSeconds: 60 })
    const client = server.client()
    const file = await client.files.retrieve(await uploadLines(client, batchLines(1)))
    expect(file.expires_at! - file.created_at).toBe(30 * 86_400)
    await server.put('/clock', { advanceSeconds: 60 })
    const job = await client.batches.create({ input_file_id: file.id, ...embeddings })
    expect((await waitForBatch(client, job.id, 'failed')).errors?.data).toMatchObject([{ param: 'file_id' }])
  })
})

test('a job keeps its faults over a restart', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'local-openai-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const rules: FaultRuleInput[] = [
    { kind: 'job_stuck', done: 0.5, seconds: 60 },
    { kind: 'output_order', order: 'input' },
    { kind: 'line_missing', nth: [1, 4] },
    { kind: 'output_bom' }
  ]
  let id: string
  {
    await using server = await openLocalOpenai({ dataDir, clockFactor: 0, faults: { rules } })
    const job = await createBatch(server.client(), batchLines(4))
    await expect
      .poll(async () => (await server.client().batches.retrieve(job.id)).request_counts?.completed)
      .toBe(2)
    id = job.id
  }
  await using server = await openLocalOpenai({ dataDir, clockFactor: 0 })
  await server.put('/clock', { advanceSeconds: 60 })
  const { output, paidInputs } = await endOfJob(server, id, 'completed')
  expect(output.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]))
  expect(idsOf(output.subarray(3))).toEqual(['line-1', 'line-2'])
  expect(paidInputs).toBe(4)
  expect(await server.get('/jobs')).toMatchObject({
    jobs: [{ faults: expect.arrayContaining([expect.objectContaining({ kind: 'line_missing', struck: 2 })]) }]
  })
})

test('a rule with a condition that means nothing at its route is refused with its reason', async () => {
  await using server = await openServer()
  const refused = await server.put('/faults', {
    rules: [
      { kind: 'job_expires', customId: 'a' },
      { kind: 'line_missing', times: 3 },
      { kind: 'http_error', route: 'batches.create', jobs: 1 },
      { kind: 'job_stuck', route: 'batches.create' },
      { kind: 'reset_after_commit', route: 'batches.list' }
    ]
  })
  const { message } = Object(refused).error
  for (const part of [
    'rules.0.customId: means nothing for the route jobs',
    'rules.1.times: means nothing for the route lines',
    'rules.2.jobs: means nothing for the route batches.create',
    'rules.3.route',
    'rules.4.route'
  ]) {
    expect(message).toContain(part)
  }
})
