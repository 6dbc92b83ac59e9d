// Who starts and ends the servers, on the real command line: nothing may outlive its parent, whatever happens to that.

import { spawn } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Redis } from 'ioredis'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { isAlive } from '../../tools/bootstrap/process-identity.mjs'
import { freezeProcess } from '../../tools/stack/freeze-process.ts'
import { isFree } from '../../tools/stack/ports.ts'
import { startStack } from '../../tools/stack/start-stack.ts'

const command = 'tools/stack/main.ts'
const bootstrap = ['tools/bootstrap/run.mjs', 'stack']

// A test starts whole servers: twenty seconds are enough only while the computer has nothing else to do.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let state: string
beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), 'stack-state-'))
})
afterAll(() => rm(state, { recursive: true }))

const quiet = { log: () => {} }

test('kill -9 of the parent leaves no server behind, not even a frozen one, and no folder', async () => {
  const up = await upStack('killed', [command], { parts: 'kafka,redis,weaviate' })
  const { pids, dataDir } = await running('killed')
  expect(pids).toHaveLength(3)
  await freezeProcess(await pidOfPart('killed', 'redis'))

  process.kill(up.pid, 'SIGKILL')

  await expect.poll(() => pids.filter(pid => isAlive(`${pid}:`)), { timeout: 15_000 }).toEqual([])
  await expect.poll(() => stat(dataDir).catch(() => 'gone')).toBe('gone')
  expect(await run('status', '--name', 'killed')).toMatchObject({
    code: 1,
    out: 'no stack named killed is running\n'
  })
})

test('a name has one stack at a time; the record of a killed one does not count, and down ends a running one', async () => {
  const killed = await upStack('one', [command])
  process.kill(killed.pid, 'SIGKILL')
  await killed.ended

  const up = await upStack('one', [command])
  const { pids } = await running('one')
  const second = await run('up', '--name', 'one')
  expect(second.code).toBe(1)
  expect(second.err).toContain(`a stack named one is already running (process ${up.pid})`)
  const env = await run('env', '--name', 'one')
  expect(env.out).toContain(`export REDIS_URL='${up.addresses['REDIS_URL']}'\n`)

  expect(await run('down', '--name', 'one')).toMatchObject({ code: 0, out: 'stack one is stopped\n' })

  expect(await up.ended).toBe(0)
  expect(pids.filter(pid => isAlive(`${pid}:`))).toEqual([])
  expect((await run('env', '--name', 'one')).err).toContain('start it with "npm run stack -- up --name one"')
})

test('Ctrl-C in the terminal, which everybody there gets, ends a stack cleanly', async () => {
  const up = await upStack('interrupted', bootstrap)
  const { pids } = await running('interrupted')

  process.kill(-up.pid, 'SIGINT')

  expect(await up.ended).toBe(0)
  expect(pids.filter(pid => isAlive(`${pid}:`))).toEqual([])
})

test('kill -9 of the process that npm started leaves nothing behind', async () => {
  const up = await upStack('orphaned', bootstrap)
  const { pids, pid } = await running('orphaned')

  process.kill(up.pid, 'SIGKILL')

  await expect.poll(() => [pid, ...pids].filter(each => isAlive(`${each}:`)), { timeout: 15_000 }).toEqual([])
})

test('a SIGTERM to npm, which ends only the shell between npm and us, leaves nothing behind', async () => {
  const shell = ['-c', '"$@"; exit $?', 'sh', process.execPath, ...bootstrap]
  const up = await upStack('terminated', shell, { file: '/bin/sh', env: { npm_lifecycle_event: 'stack' } })
  const { pids, pid } = await running('terminated')

  process.kill(up.pid, 'SIGTERM')

  await expect.poll(() => [pid, ...pids].filter(each => isAlive(`${each}:`)), { timeout: 15_000 }).toEqual([])
})

test('a server that ends by itself ends the stack, with the reason', async () => {
  const up = await upStack('broken', [command])

  process.kill(await pidOfPart('broken', 'redis'), 'SIGKILL')

  expect(await up.ended).toBe(1)
  expect(await up.err).toMatch(/redis ended by itself: SIGKILL; see .*redis\.log/)
})

test('wrong usage exits with 2 and says how it is done', async () => {
  const { code, err } = await runProgram(bootstrap, ['up', '--parts', 'mongo'])

  expect(code).toBe(2)
  expect(err).toMatch(/there is no part mongo[^]*npm run stack -- COMMAND/)
})

test('a taken port is named with its part, and nothing is left running', async () => {
  const taken = createServer()
  const port = await new Promise<number>(resolve => {
    taken.listen(0, '127.0.0.1', () => resolve(Number(Reflect.get(Object(taken.address()), 'port'))))
  })
  const weaviate = await freePort()

  const starting = startStack({ ...quiet, parts: ['weaviate', 'redis'], ports: { redis: port, weaviate } })

  await expect(starting).rejects.toThrow(`redis: port ${port} (listener) is already in use`)
  expect(await isFree(weaviate)).toBe(true)
  taken.close()
})

test('starting can be called off, and leaves nothing running', async () => {
  const stop = new AbortController()
  const weaviate = await freePort()
  const starting = startStack({ ...quiet, parts: ['weaviate'], ports: { weaviate }, signal: stop.signal })
  await expect.poll(() => accepts(weaviate), { timeout: 15_000 }).toBe(true)

  stop.abort()

  await expect(starting).rejects.toThrow('aborted')
  expect(await isFree(weaviate)).toBe(true)
})

test('two stacks side by side share nothing', async () => {
  await using one = await startStack({ ...quiet, parts: ['redis'] })
  await using two = await startStack({ ...quiet, parts: ['redis'] })

  await usingRedis(one.env.REDIS_URL, redis => redis.set('mine', 'one'))

  expect(one.dataDir).not.toBe(two.dataDir)
  expect(await usingRedis(two.env.REDIS_URL, redis => redis.get('mine'))).toBeNull()
})

test('behind the fault proxy no client finds a way round it', async () => {
  await using stack = await startStack({ ...quiet, parts: ['kafka', 'redis', 'toxiproxy'] })
  const { proxied } = stack
  if (proxied === undefined) throw new Error('no fault proxy')
  const kafka = new Kafka({ brokers: [proxied.KAFKA_BROKERS], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const { brokers } = await admin.describeCluster()
  await admin.disconnect()
  expect(brokers.map(({ host, port }) => `${host}:${port}`)).toEqual([proxied.KAFKA_BROKERS])
  expect(await usingRedis(proxied.REDIS_URL, redis => redis.ping())).toBe('PONG')

  const body = JSON.stringify({ enabled: false })
  await fetch(`${proxied.toxiproxyUrl}/proxies/redis`, { method: 'POST', body })

  await expect(usingRedis(proxied.REDIS_URL, redis => redis.ping())).rejects.toThrow()
  expect(await usingRedis(stack.env.REDIS_URL, redis => redis.ping())).toBe('PONG')
})

interface Up {
  readonly pid: number
  readonly addresses: Readonly<Record<string, string>>
  readonly ended: Promise<number | null>
  readonly err: Promise<string>
}

interface UpSettings {
  readonly parts?: string
  readonly file?: string
  readonly env?: NodeJS.ProcessEnv
}

/** Leads a process group of its own, as a command in a terminal does; resolves when the stack is up. */
async function upStack(
  name: string,
  program: readonly string[],
  { parts = 'redis', file = process.execPath, env = {} }: UpSettings = {}
): Promise<Up> {
  const child = spawn(file, [...program, 'up', '--json', '--name', name, '--parts', parts], {
    detached: true,
    env: { ...process.env, ...env, XDG_STATE_HOME: state },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
  const err = text(child.stderr)
  const line = new Promise<string>(resolve => child.stdout.once('data', chunk => resolve(String(chunk))))
  const first = await Promise.race([line, ended.then(async () => Promise.reject(new Error(await err)))])
  return { pid: child.pid ?? 0, addresses: JSON.parse(first), ended, err }
}

interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const run = (...args: string[]): Promise<Outcome> => runProgram([command], args)

async function runProgram(program: readonly string[], args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [...program, ...args], {
    env: { ...process.env, XDG_STATE_HOME: state },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
  const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { code, out, err }
}

interface Status {
  readonly pid: number
  readonly dataDir: string
  readonly parts: readonly { readonly name: string; readonly pid: number; readonly answers: boolean }[]
}

async function statusOf(name: string): Promise<Status> {
  const { code, out } = await run('status', '--json', '--name', name)
  expect(code).toBe(0)
  return JSON.parse(out)
}

async function running(name: string): Promise<{ pid: number; pids: number[]; dataDir: string }> {
  const { pid, parts, dataDir } = await statusOf(name)
  expect(parts.every(part => part.answers)).toBe(true)
  return { pid, pids: parts.map(part => part.pid), dataDir }
}

async function pidOfPart(name: string, part: string): Promise<number> {
  const found = (await statusOf(name)).parts.find(each => each.name === part)
  return found?.pid ?? 0
}

async function usingRedis<Result>(url: string, use: (redis: Redis) => Promise<Result>): Promise<Result> {
  const redis = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: null })
  // Each command reports its own failure.
  redis.on('error', () => {})
  try {
    return await use(redis)
  } finally {
    redis.disconnect()
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await new Promise<number>(resolve => {
    server.listen(0, '127.0.0.1', () => resolve(Number(Reflect.get(Object(server.address()), 'port'))))
  })
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Not by binding to it, as isFree does: that would be in the way of the server that is starting. */
function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = createConnection({ host: '127.0.0.1', port })
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
