import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { serveLocalOpenai, spawnLocalOpenai } from '../../support/local-openai-process.ts'
import type { LocalOpenaiProcess } from '../../support/local-openai-process.ts'
import { postEmbeddings } from '../../support/local-openai-under-test.ts'

const model = 'text-embedding-3-small'
const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function run(...args: string[]): ChildProcess {
  const child = spawnLocalOpenai(...args)
  children.push(child)
  return child
}

async function serve(...args: string[]): Promise<LocalOpenaiProcess> {
  const server = await serveLocalOpenai(...args)
  children.push(server.child)
  return server
}

async function output(child: ChildProcess): Promise<{ code: unknown; out: string; err: string }> {
  let out = ''
  let err = ''
  child.stdout?.on('data', part => (out += String(part)))
  child.stderr?.on('data', part => (err += String(part)))
  const [code] = await once(child, 'close')
  return { code, out, err }
}

test('serves with the options given and says where', async () => {
  const { url, adminUrl } = await serve('--tier', '1', '--api-key', 'test-key', '--latency', '5..10')
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/)
  const response = await postEmbeddings(url, { model, input: 'a' })
  expect(response.status).toBe(200)
  expect(response.headers.get('x-ratelimit-limit-requests')).toBe('3000')
  expect((await postEmbeddings(url, { model, input: 'a' }, { authorization: 'Bearer other' })).status).toBe(
    401
  )
  expect(await (await fetch(`${adminUrl}/latency`)).json()).toEqual({ kind: 'uniform', minMs: 5, maxMs: 10 })
})

test('the clock and the turnaround are set by options', async () => {
  const fast = await serve('--clock-factor', '3600', '--turnaround', 'plausible')
  const clock = Object(await fast.get('/clock'))
  expect(clock).toMatchObject({ factor: 3600 })
  expect(clock.now).toBeGreaterThan(Date.now() / 1000 - 60)
  expect(await fast.get('/turnaround')).toEqual({ kind: 'plausible' })
  const slow = await serve('--turnaround', 'lognormal:60,600')
  expect(await slow.get('/clock')).toMatchObject({ factor: 1 })
  expect(await slow.get('/turnaround')).toEqual({ kind: 'lognormal', medianSeconds: 60, p99Seconds: 600 })
  expect(await slow.put('/turnaround', { kind: 'fixed', seconds: -1 })).toMatchObject({
    error: { type: 'invalid_request_error' }
  })
  expect(await slow.put('/clock', { factor: -1 })).toMatchObject({ error: { type: 'invalid_request_error' } })
})

test('the bill survives kill -9', async () => {
  const stateFile = join(mkdtempSync(join(tmpdir(), 'local-openai-')), 'bill.jsonl')
  const first = await serve('--state', stateFile)
  await postEmbeddings(first.url, { model, input: ['a', 'b'] })
  first.child.kill('SIGKILL')
  await once(first.child, 'close')

  const second = await serve('--state', stateFile)
  await postEmbeddings(second.url, { model, input: ['b', 'c'] })
  expect(await (await fetch(`${second.adminUrl}/bill`)).json()).toMatchObject({
    realtime: { requests: 2, inputs: 4, tokens: 4 },
    distinctInputs: 3
  })
})

test('SIGTERM lets a running request end, then the process exits 0', async () => {
  const { child, url, adminUrl } = await serve('--latency', '300')
  const answer = postEmbeddings(url, { model, input: 'a' })
  await expect
    .poll(async () => await (await fetch(`${adminUrl}/journal`)).json())
    .toMatchObject({ exchanges: [{ status: null }] })
  const ended = output(child)
  child.kill('SIGTERM')
  expect((await answer).status).toBe(200)
  expect((await ended).code).toBe(0)
})

test('wrong options exit 2 and are all named', async () => {
  const { code, err } = await output(
    run(
      '--port',
      'x',
      '--latency',
      'soon',
      '--turnaround',
      'late',
      '--clock-factor',
      'fast',
      '--tier',
      '9',
      '--vectors',
      'minilm',
      '--colour',
      'here'
    )
  )
  expect(code).toBe(2)
  for (const name of [
    '--port',
    '--latency',
    '--turnaround',
    '--clock-factor',
    '--tier',
    '--minilm-dir',
    '--colour',
    'here'
  ])
    expect(err).toContain(`  ${name}:`)
})

test('help is printed and exits 0', async () => {
  const { code, out } = await output(run('--help'))
  expect(code).toBe(0)
  expect(out).toContain('--state FILE')
})

test('a missing model is named and exits 1', async () => {
  const { code, err } = await output(run('--vectors', 'minilm', '--minilm-dir', '/nowhere'))
  expect(code).toBe(1)
  expect(err).toContain('/nowhere')
})
