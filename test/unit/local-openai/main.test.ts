import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
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
      '--faults',
      '/nowhere/faults.json',
      '--webhook',
      'ftp://here',
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
    '--faults',
    '--webhook',
    '--colour',
    'here'
  ])
    expect(err).toContain(`  ${name}:`)
})

test('help is printed and exits 0; it names every option with its default', async () => {
  const { code, out } = await output(run('--help'))
  expect(code).toBe(0)
  const options = [...out.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, name]) => name)
  expect(options).toEqual([...new Set(options)])
  expect(options).toHaveLength(18)
  expect(out.match(/\(default/g)?.length).toBeGreaterThan(14)
})

test('an option without its value is named', async () => {
  const { code, err } = await output(run('--port'))
  expect(code).toBe(2)
  expect(err).toContain('--port: needs a value')
})

test('a port in use and a folder that is none are named with what helps, and exit 1', async () => {
  const { url } = await serve()
  const busy = await output(run('--port', new URL(url).port))
  expect(busy).toMatchObject({ code: 1, err: expect.stringMatching(/port \d+ is in use: choose another/) })
  const file = join(mkdtempSync(join(tmpdir(), 'local-openai-')), 'file')
  writeFileSync(file, '')
  const folder = await output(run('--data-dir', file))
  expect(folder).toMatchObject({ code: 1, err: expect.stringContaining('--data-dir cannot be used') })
})

test('faults and webhooks are set by options', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'local-openai-'))
  const path = join(folder, 'faults.json')
  writeFileSync(path, JSON.stringify({ seed: 5, rules: [{ kind: 'job_expires', done: 0.2 }] }))
  const server = await serve('--faults', path, '--webhook', 'http://127.0.0.1:9/hook')
  expect(await server.get('/faults')).toMatchObject({ seed: 5, rules: [{ kind: 'job_expires', done: 0.2 }] })
  expect(await server.get('/webhook')).toMatchObject({ url: 'http://127.0.0.1:9/hook' })
  writeFileSync(path, JSON.stringify({ rules: [{ kind: 'explode' }] }))
  const wrong = await output(run('--faults', path))
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('rules.0.kind') })
})

test('Ctrl-C ends it with 0', async () => {
  const { child } = await serve()
  const ended = output(child)
  child.kill('SIGINT')
  expect((await ended).code).toBe(0)
})

test('a missing model is named and exits 1', async () => {
  const { code, err } = await output(run('--vectors', 'minilm', '--minilm-dir', '/nowhere'))
  expect(code).toBe(1)
  expect(err).toContain('/nowhere')
})
