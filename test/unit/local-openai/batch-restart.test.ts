import { appendFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  batchLines,
  createBatch,
  readLines,
  shortAnswerLines,
  uploadLines,
  waitForBatch
} from '../../support/local-openai-batch.ts'
import { serveLocalOpenai } from '../../support/local-openai-process.ts'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'

const twoHours = { kind: 'fixed', seconds: 7200 } as const

function newDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'local-openai-'))
}

/** Leaves out the last lines of the state, as if the process had been killed before it wrote them. */
function forgetLast(dataDir: string, lines: number): void {
  const path = join(dataDir, 'state.jsonl')
  writeFileSync(
    path,
    readFileSync(path, 'utf8')
      .split('\n')
      .slice(0, -1 - lines)
      .join('\n') + '\n'
  )
}

test('a job that was killed half-way goes on where it was, and no line is paid twice', async () => {
  const dataDir = newDataDir()
  const args = ['--data-dir', dataDir, '--turnaround', '7200', '--clock-factor', '0']
  await using first = await serveLocalOpenai(...args)
  const { id } = await createBatch(first.client, batchLines(1000), { metadata: { key: 'kept' } })
  await first.put('/clock', { advanceSeconds: 3600 })
  const before = await first.client.batches.retrieve(id)
  expect(before.request_counts!.completed).toBeGreaterThan(400)
  await first.kill()

  await using second = await serveLocalOpenai(...args)
  const after = await second.client.batches.retrieve(id)
  expect(after).toEqual(before)
  await second.put('/clock', { advanceSeconds: 7200 })
  const done = await second.client.batches.retrieve(id)
  expect(done).toMatchObject({
    status: 'completed',
    metadata: { key: 'kept' },
    in_progress_at: before.in_progress_at
  })
  const lines = await readLines(second.client, done.output_file_id)
  expect(lines).toHaveLength(1000)
  expect(new Set(lines.map(line => line.custom_id)).size).toBe(1000)
  expect(await second.get('/bill')).toMatchObject({ batch: { jobs: 1, inputs: 1000 }, distinctInputs: 1000 })
})

test('a kill while lines run at full speed loses none of them and pays none twice', async () => {
  // Nor need the folder be there.
  const dataDir = join(newDataDir(), 'to', 'be', 'made')
  await using first = await serveLocalOpenai('--data-dir', dataDir)
  const { id } = await createBatch(first.client, shortAnswerLines(10_000))
  await expect
    .poll(async () => (await first.client.batches.retrieve(id)).request_counts!.completed, { interval: 5 })
    .toBeGreaterThan(0)
  await first.kill()

  await using second = await serveLocalOpenai('--data-dir', dataDir)
  const done = await waitForBatch(second.client, id, 'completed')
  expect(done.request_counts).toEqual({ total: 10_000, completed: 10_000, failed: 0 })
  const lines = await readLines(second.client, done.output_file_id)
  expect(new Set(lines.map(line => line.custom_id)).size).toBe(10_000)
  expect(lines).toHaveLength(10_000)
  expect(await second.get('/bill')).toMatchObject({ batch: { inputs: 10_000 }, distinctInputs: 10_000 })
})

test('lines that were paid before the kill but not counted are run again and not paid again', async () => {
  const dataDir = newDataDir()
  const options = { dataDir, clockFactor: 0, turnaround: twoHours }
  let id: string
  {
    await using server = await openLocalOpenai(options)
    id = (await createBatch(server.client(), batchLines(500))).id
    await server.put('/clock', { advanceSeconds: 3600 })
    expect(await server.get('/bill')).toMatchObject({ batch: { jobs: 1 } })
  }
  forgetLast(dataDir, 20)
  await using server = await openLocalOpenai(options)
  const { completed } = (await server.client().batches.retrieve(id)).request_counts!
  const { batch: paid } = Object(await server.get('/bill'))
  expect(paid.inputs).toBeGreaterThan(completed)
  await server.put('/clock', { advanceSeconds: 14_400 })
  const done = await server.client().batches.retrieve(id)
  expect(await readLines(server.client(), done.output_file_id)).toHaveLength(500)
  expect(await server.get('/bill')).toMatchObject({ batch: { inputs: 500 }, distinctInputs: 500 })
  expect(await server.get('/payments?minCount=2')).toMatchObject({ total: 0 })
})

test('a job that was killed in any other state goes on', async () => {
  const dataDir = newDataDir()
  const options = { dataDir, clockFactor: 0, turnaround: twoHours }
  const ids: string[] = []
  {
    await using server = await openLocalOpenai(options)
    const client = server.client()
    const finalizing = await createBatch(client, batchLines(5))
    await server.put('/clock', { advanceSeconds: 7199 })
    const cancelling = await createBatch(client, batchLines(5))
    await server.put('/clock', { advanceSeconds: 0 })
    await client.batches.cancel(cancelling.id)
    const validating = await createBatch(client, batchLines(5))
    ids.push(finalizing.id, cancelling.id, validating.id)
    const statuses = await Promise.all(ids.map(async id => (await client.batches.retrieve(id)).status))
    expect(statuses).toEqual(['finalizing', 'cancelling', 'validating'])
  }
  await using server = await openLocalOpenai(options)
  await server.put('/clock', { advanceSeconds: 7200 })
  const client = server.client()
  const statuses = await Promise.all(ids.map(async id => (await client.batches.retrieve(id)).status))
  expect(statuses).toEqual(['completed', 'cancelled', 'completed'])
})

test('files, deletions and the time survive, and what a kill left half-written is cleared away', async () => {
  const dataDir = newDataDir()
  let kept: string
  let now: number
  {
    await using server = await openLocalOpenai({ dataDir, clockFactor: 0 })
    const client = server.client()
    kept = await uploadLines(client, batchLines(2))
    const deleted = await uploadLines(client, batchLines(2))
    await client.files.delete(deleted)
    now = Object(await server.put('/clock', { advanceSeconds: 5000 })).now
  }
  appendFileSync(join(dataDir, 'files', 'file-half'), 'half')
  appendFileSync(join(dataDir, 'state.jsonl'), '{"atMs":17')
  await using server = await openLocalOpenai({ dataDir, clockFactor: 0 })
  const client = server.client()
  expect((await client.files.list()).data.map(file => file.id)).toEqual([kept])
  expect(await (await client.files.content(kept)).text()).toBe(batchLines(2))
  expect(readdirSync(join(dataDir, 'files'))).toEqual([kept])
  expect(Object(await server.get('/clock')).now).toBe(now)
})

test('without a data directory nothing is left behind', async () => {
  const folders = (): string[] => readdirSync(tmpdir()).filter(name => name.startsWith('local-openai-data-'))
  const before = new Set(folders())
  let own: string[]
  {
    await using server = await openLocalOpenai()
    const id = await uploadLines(server.client(), batchLines(1))
    own = folders().filter(name => !before.has(name) && existsSync(join(tmpdir(), name, 'files', id)))
    expect(own).toHaveLength(1)
  }
  expect(folders().filter(name => own.includes(name))).toEqual([])
})

test('the state of another version is refused, with the place', async () => {
  const dataDir = newDataDir()
  const path = join(dataDir, 'state.jsonl')
  writeFileSync(path, '{"version":9}\n')
  await expect(openLocalOpenai({ dataDir })).rejects.toThrow(`${path}, byte 0`)
})
