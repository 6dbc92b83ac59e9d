// What a server that is started anew, replaced or promoted has lost of what it answered, nobody works with: on servers of
// their own.
import { randomUUID } from 'node:crypto'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { RedisLedger } from '@pointsman/core/adapters/redis/ledger'
import type { Ledger } from '@pointsman/core/ports/ledger'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { Stack } from '../../tools/stack/start-stack.ts'
import { startOwnServers } from '../support/own-servers.ts'
import { openGate } from '../support/reply-gate.ts'

const silent = (): void => undefined
const start = (): Promise<Stack> => startOwnServers('redis')
const life = { instance: 'one', service: 'test', leaseMs: 3_600_000 }

let stack: Stack
let redis: Redis
const opened: Redis[] = []
beforeAll(async () => {
  stack = await start()
  redis = await connect(stack.env.REDIS_URL)
}, 60_000)
afterEach(() => redis.config('SET', 'appendfsync', 'always'))
afterAll(async () => {
  await Promise.all(opened.map(closeRedis))
  await stack[Symbol.asyncDispose]()
})

async function connect(url: string): Promise<Redis> {
  const connection = await openRedis({ REDIS_URL: url }, silent)
  opened.push(connection)
  return connection
}

/** A process of its own. */
async function handle(namespace: string, url = stack.env.REDIS_URL): Promise<Ledger> {
  return new RedisLedger(await connect(url), namespace)
}

/** @param meanwhile - what happens to the data while the server is away. */
async function startAnew(meanwhile: () => Promise<void> = async () => undefined): Promise<void> {
  await stack.part('redis').kill()
  await meanwhile()
  await stack.part('redis').restart()
  for (const connection of opened) {
    await vi.waitFor(() => connection.ping(), { timeout: 10_000 })
  }
}

/** Every answered write is in it. @returns what puts the server back to where it is now. */
async function copyData(): Promise<() => Promise<void>> {
  const data = join(stack.dataDir, 'redis')
  const copy = join(stack.dataDir, randomUUID())
  await cp(data, copy, { recursive: true })
  return async () => {
    await rm(data, { recursive: true })
    await cp(copy, data, { recursive: true })
  }
}

const foreign = { code: 'LEDGER_FOREIGN' }

test('a server that was started anew with all that it answered goes on, whoever meets it first', async () => {
  const [first, second] = [await handle('kept'), await handle('kept')]
  const { ledgerId } = await first.open('realtime')
  await second.open('realtime')
  await first.openPartition(0, 5n)
  const { owner } = await first.register(life)
  for (const _ of ['once', 'twice']) {
    await startAnew()
    expect(await Promise.all([second.renew(owner, 1000, ''), first.renew(owner, 1000, '')])).toEqual([
      true,
      true
    ])
  }
  expect(await second.state()).toMatchObject({ ledgerId, rebuild: undefined })
  expect(await (await handle('kept')).open('batch')).toMatchObject({ ledgerId, rebuild: undefined })
}, 30_000)

test('a server that did not promise to keep what it answers is distrusted when it is started anew', async () => {
  await redis.config('SET', 'appendfsync', 'everysec')
  const [first, second] = [await handle('unkept'), await handle('unkept')]
  const { ledgerId } = await first.open('batch')
  await second.open('batch')
  await first.openPartition(0, 5n)
  await startAnew()

  const refusals = await Promise.allSettled([first.openPartition(0, 5n), second.openPartition(1, 5n)])
  expect(refusals).toMatchObject([
    { status: 'rejected', reason: foreign },
    { status: 'rejected', reason: foreign }
  ])
  const state = await second.open('realtime')
  expect(state.ledgerId).not.toBe(ledgerId)
  expect(state).toMatchObject({ defaultLane: 'batch', partitions: new Map() })
  expect(state.rebuild?.because).toContain('appendfsync')
  expect((await first.open('realtime')).ledgerId).toBe(state.ledgerId)
}, 30_000)

test('a server that does not promise it any more is distrusted too, also while its ledger is rebuilt', async () => {
  const ledger = await handle('careless')
  const { ledgerId } = await ledger.open('realtime', 'lost')
  await startAnew()
  await redis.config('SET', 'appendfsync', 'everysec')
  await expect(ledger.noteRebuild({ stage: 'index', done: 1, total: 2 })).rejects.toMatchObject(foreign)
  const state = await ledger.open('realtime')
  expect(state.ledgerId).not.toBe(ledgerId)
  expect(state.rebuild).toMatchObject({ stage: 'waiting', done: 0 })
}, 30_000)

test('settings that were changed while it ran count from then on', async () => {
  await redis.config('SET', 'appendfsync', 'everysec')
  const ledger = await handle('mended')
  const { ledgerId } = await ledger.open('realtime')
  await redis.config('SET', 'appendfsync', 'always')
  await (await handle('mended')).open('realtime')
  await startAnew()
  expect((await ledger.state()).ledgerId).toBe(ledgerId)
}, 30_000)

test('a life of the server is accepted once, with what the one before had come to', async () => {
  const connection = await connect(stack.env.REDIS_URL)
  const slow = Object.create(connection) as Redis
  const [late, second] = [new RedisLedger(slow, 'once'), await handle('once')]
  await late.open('realtime')
  await second.open('realtime')
  const { run = '', serial } = await redis.hgetall('{once}:state')
  await startAnew()

  const looked = Promise.withResolvers<void>()
  const looks = Promise.withResolvers<void>()
  slow.config = (async (...asked: Parameters<Redis['config']>) => {
    looks.resolve()
    await looked.promise
    return connection.config(...asked)
  }) as never
  const state = late.state()
  await looks.promise
  await second.openPartition(0, 5n)
  looked.resolve()
  expect((await state).partitions.size).toBe(1)
  expect(await redis.hget('{once}:state', `ended:${run}`)).toBe(serial)
}, 30_000)

test('who may not ask for settings does not change what others have found', async () => {
  const curious = await handle('unasked')
  const { ledgerId } = await curious.open('realtime')
  const connection = await connect(stack.env.REDIS_URL)
  const modest = Object.create(connection) as Redis
  modest.config = (() => Promise.reject(new Error('NOPERM no permissions'))) as never
  await new RedisLedger(modest, 'unasked').open('realtime')
  await startAnew()
  expect(await curious.state()).toMatchObject({ ledgerId, rebuild: undefined })
  await startAnew()
  const { rebuild } = await new RedisLedger(modest, 'unasked').open('realtime')
  expect(rebuild?.because).toContain('appendfsync')
}, 30_000)

test('an older copy of its data is given up by whoever was answered more, also when another has gone on with it', async () => {
  const [first, second] = [await handle('older'), await handle('older')]
  await first.open('realtime')
  await second.open('realtime')
  const goBack = await copyData()
  await first.openPartition(0, 5n)
  await first.openPartition(1, 5n)
  await startAnew(goBack)

  expect((await second.state()).partitions.size).toBe(0)
  for (const p of [7, 8, 9]) await second.openPartition(p, 0n)
  await expect(first.openPartition(1, 5n)).rejects.toMatchObject(foreign)
  await expect(second.state()).rejects.toMatchObject(foreign)
  expect((await second.open('realtime')).rebuild?.because).toContain('rolled back')
}, 30_000)

test('an older copy is also given up by who knew a life of the server that it does not', async () => {
  const ledger = await handle('oldest')
  await ledger.open('realtime')
  const goBack = await copyData()
  await startAnew()
  await ledger.openPartition(0, 5n)
  await startAnew(goBack)
  const other = await handle('oldest')
  await other.open('realtime')
  for (const p of [7, 8, 9]) await other.openPartition(p, 0n)
  await expect(ledger.state()).rejects.toMatchObject(foreign)
}, 30_000)

test('a ledger that went back without its server being started anew is given up', async () => {
  const ledger = await handle('back')
  await ledger.open('realtime')
  await ledger.openPartition(0, 5n)
  const { serial = '0' } = await redis.hgetall('{back}:state')
  await redis.hset('{back}:state', 'serial', Number(serial) - 1)
  await expect(ledger.openPartition(1, 5n)).rejects.toMatchObject(foreign)
  expect((await ledger.open('realtime')).rebuild?.because).toContain('rolled back')
})

test('who opens it again does not forget what was answered before', async () => {
  const ledger = await handle('reopened')
  const { ledgerId } = await ledger.open('realtime')
  await ledger.openPartition(0, 5n)
  await redis.hset('{reopened}:state', 'serial', 0)
  const state = await ledger.open('realtime')
  expect(state.ledgerId).not.toBe(ledgerId)
  expect(state.rebuild).toBeDefined()
})

test('a command that is sent again to a server that has lost it is refused there', async () => {
  await using gate = await openGate(stack.env.REDIS_URL)
  const patient = new Redis(gate.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
  patient.on('error', silent)
  const ledger = new RedisLedger(patient, 'resent')
  await ledger.open('realtime')
  await ledger.openPartition(0, 5n)
  const goBack = await copyData()
  const { owner } = await ledger.register(life)

  gate.loseNextReply()
  const closed = new Promise<void>(resolve => {
    patient.once('close', () => resolve())
  })
  const renewed = ledger.renew(owner, 1000, '')
  await closed
  gate.close()
  await startAnew(goBack)
  await gate.reopen()
  await expect(renewed).rejects.toMatchObject(foreign)
  expect((await ledger.open('realtime')).rebuild).toBeDefined()
  patient.disconnect()
}, 30_000)

test('a replica answers nothing, and one that took over is distrusted', async () => {
  await using other = await start()
  const replica = await connect(other.env.REDIS_URL)
  const [first, second] = [await handle('promoted'), new RedisLedger(replica, 'promoted')]
  const { ledgerId } = await first.open('realtime')
  await replica.replicaof('127.0.0.1', Number(new URL(stack.env.REDIS_URL).port))
  await vi.waitFor(async () => expect(await replica.hget('{promoted}:state', 'ledger')).toBe(ledgerId), {
    timeout: 10_000
  })
  await expect(second.state()).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })

  await replica.replicaof('NO', 'ONE')
  const state = await second.open('realtime')
  expect(state.ledgerId).not.toBe(ledgerId)
  expect(state.rebuild?.because).toContain('took over')
  opened.splice(opened.indexOf(replica), 1)
  await closeRedis(replica)
}, 30_000)

test('without leave to ask for more, a ledger is opened with a warning, and what it answered is still not lost unnoticed', async () => {
  await redis.acl('SETUSER', 'modest', 'on', '>secret', '~*', '&*', '+@all', '-info', '-config')
  const modest = new Redis(stack.env.REDIS_URL.replace('//', '//modest:secret@'), { enableReadyCheck: false })
  opened.push(modest)
  const warnings: string[] = []
  const ledger = new RedisLedger(modest, 'modest', { warn: text => warnings.push(text) })
  const { ledgerId } = await ledger.open('realtime')
  expect(warnings.join()).toContain('INFO is refused')
  await ledger.openPartition(0, 5n)
  expect((await (await handle('modest')).open('realtime')).ledgerId).toBe(ledgerId)
  expect((await ledger.state()).ledgerId).toBe(ledgerId)

  await redis.hset('{modest}:state', 'serial', 0)
  await expect(ledger.openPartition(1, 5n)).rejects.toMatchObject(foreign)
})

test('a ledger that was made before lives were noted goes on, and notes them', async () => {
  const ledger = await handle('early')
  const { ledgerId } = await ledger.open('realtime')
  await redis.hdel('{early}:state', 'run', 'durable', 'serial')
  const later = await handle('early')
  expect(await later.open('realtime')).toMatchObject({ ledgerId, rebuild: undefined })
  expect(await redis.hget('{early}:state', 'run')).toMatch(/^[0-9a-f]{40}$/)
})

test('a server that is away while it is looked at is no reason to give its ledger up', async () => {
  await using gate = await openGate(stack.env.REDIS_URL)
  const connection = await connect(gate.url)
  const interrupted = Object.create(connection) as Redis
  const ledger = new RedisLedger(interrupted, 'away')
  const { ledgerId } = await ledger.open('realtime')
  await redis.hset('{away}:state', 'run', 'abc', 'durable', 1)
  let cuts = 1
  interrupted.config = ((...asked: Parameters<Redis['config']>) => {
    if (cuts-- > 0) gate.close()
    return connection.config(...asked)
  }) as never
  await expect(ledger.state()).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
  await gate.reopen()
  await vi.waitFor(async () => expect((await ledger.state()).ledgerId).toBe(ledgerId), { timeout: 10_000 })
})
