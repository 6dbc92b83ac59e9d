// The contract on a real Redis, and what only a server can do: forget scripts, hold other people's data, lose replies.
import { randomUUID } from 'node:crypto'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { RedisLedger } from '@pointsman/core/adapters/redis/ledger'
import { Failure } from '@pointsman/core/domain/failure'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { ledgerContract } from '../contract/ledger.ts'
import { rebuildContract } from '../contract/ledger-rebuild.ts'
import { dumpLedger, timelessAnswer } from '../support/ledger-dump.ts'
import { digestOf, hourMs, LedgerScene } from '../support/ledger-scene.ts'
import { openGate } from '../support/reply-gate.ts'

type Redis = Awaited<ReturnType<typeof openRedis>>

const url = inject('redisUrl')
const silent = (): void => undefined
let redis: Redis
beforeAll(async () => {
  redis = await openRedis({ REDIS_URL: url }, silent)
})
afterAll(() => closeRedis(redis))

// A namespace of its own isolates each ledger, so tests can share a server.
ledgerContract('redis', () => new RedisLedger(redis, `contract-${randomUUID()}`))

rebuildContract('redis', async () => {
  const namespace = `contract-${randomUUID()}`
  return () => new RedisLedger(redis, namespace)
})

async function sceneIn(namespace: string): Promise<LedgerScene> {
  return LedgerScene.open(new RedisLedger(redis, namespace))
}

test('a server that forgot the scripts is told them again', async () => {
  const scene = await sceneIn(randomUUID())
  await redis.script('FLUSH')
  expect((await scene.admit([{ doc: 'a', text: 'A' }])).reply.kind).toBe('admitted')
})

test('a ledger that vanished, was replaced or has another format is refused, and changes nothing', async () => {
  const namespace = randomUUID()
  const key = `{${namespace}}:state`
  const scene = await sceneIn(namespace)
  const foreign = { code: 'LEDGER_FOREIGN' }

  await redis.hset(key, 'format', '1')
  await expect(scene.admit([{ doc: 'a', text: 'A' }])).rejects.toMatchObject(foreign)
  await expect(new RedisLedger(redis, namespace).open('realtime')).rejects.toMatchObject(foreign)
  await redis.unlink(key)
  await expect(scene.admit([{ doc: 'a', text: 'A' }])).rejects.toMatchObject(foreign)

  const other = new RedisLedger(redis, namespace)
  await other.open('realtime')
  await other.openPartition(0, 0n)
  await expect(scene.admit([{ doc: 'a', text: 'A' }])).rejects.toMatchObject(foreign)
  expect((await other.state()).partitions).toEqual(new Map([[0, { lane: 'realtime', frontier: 0n }]]))
  await scene.ledger.open('realtime')
  expect((await scene.ledger.state()).ledgerId).toBe((await other.state()).ledgerId)

  await redis.unlink(key)
  await redis.set(key, 'somebody else')
  await expect(scene.ledger.state()).rejects.toMatchObject(foreign)
  await redis.unlink(key)
})

test('the number of buckets is fixed when the ledger is made', async () => {
  const namespace = randomUUID()
  const scene = await LedgerScene.open(new RedisLedger(redis, namespace, { bucketBits: 4 }))
  await scene.index([{ doc: 'a', text: 'A' }])

  const later = new RedisLedger(redis, namespace, { bucketBits: 20 })
  await later.open('realtime')
  expect(await later.processed([digestOf('A')])).toEqual([true])
  expect(await redis.hget(`{${namespace}}:state`, 'bits')).toBe('4')
})

test('an obligation that ended leaves no key', async () => {
  const namespace = randomUUID()
  const scene = await sceneIn(namespace)
  const { obligation } = await scene.admit([
    { doc: 'a', text: 'same' },
    { doc: 'b', text: 'same' },
    { doc: 'c' }
  ])
  await scene.admit([{ doc: 'd', text: 'same' }])
  await scene.finish(obligation)
  const keys = await redis.keys(`{${namespace}}:*`)
  const kinds = new Set(keys.map(key => key.split(':')[1]))
  expect(kinds).toEqual(new Set(['state', 'counts', 'owners', 'owner', 'latest', 'processed']))
})

test('of archived manifests the last thousand jobs are kept, and no other key', async () => {
  const namespace = randomUUID()
  const scene = await sceneIn(namespace)
  const past = `{${namespace}}:past`
  await redis.lpush(past, ...Array.from({ length: 1000 }, () => '[]'))
  const manifest = scene.newId()
  await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
  await scene.bringTo(manifest, 'terminal')
  await scene.finish(manifest)
  await scene.ledger.advance(manifest, scene.owner, 'terminal', 'archived', { creates: 1 })
  expect(await redis.llen(past)).toBe(1000)
  expect(await scene.ledger.pastJobs(1)).toMatchObject([{ manifest, creates: 1 }])
  const kinds = new Set((await redis.keys(`{${namespace}}:*`)).map(key => key.split(':')[1]))
  expect(kinds).toEqual(new Set(['state', 'counts', 'owners', 'owner', 'latest', 'processed', 'past']))
})

test('a manifest that was released keeps nothing of its job', async () => {
  const namespace = randomUUID()
  const scene = await sceneIn(namespace)
  const manifest = scene.newId()
  await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
  await scene.bringTo(manifest, 'uploaded')
  await scene.ledger.advance(manifest, scene.owner, 'uploaded', 'uploaded', { creates: 1, lines: 1 })
  const number = await redis.hget(`{${namespace}}:obligations`, manifest)
  const jobFields = async (): Promise<string[]> =>
    (await redis.hkeys(`{${namespace}}:obligation:${number}`)).filter(name => name.startsWith('job:'))
  expect(await jobFields()).toHaveLength(2)

  const lanes = new Map([[0, 'batch' as const]])
  await scene.ledger.switchLanes({
    expectedEpoch: 1,
    epoch: 2,
    lanes,
    defaultLane: 'batch',
    release: 'unsent'
  })
  expect(await jobFields()).toEqual([])
  expect((await scene.obligation(manifest))?.kind).toBe('orphan')
})

test('parts of a large obligation are listed and searched in many short scripts', async () => {
  const namespace = randomUUID()
  let scripts = 0
  const { callBuffer } = redis as unknown as { readonly callBuffer: (this: Redis) => unknown }
  const counted = Object.create(redis) as Redis
  counted.callBuffer = ((...args: unknown[]) => {
    scripts += 1
    return Reflect.apply(callBuffer, redis, args)
  }) as never
  const scene = await LedgerScene.open(new RedisLedger(counted, namespace))
  const { ledger, owner, other } = scene
  const manifest = scene.newId()
  const texts = Array.from({ length: 3000 }, (_, index) => ({ doc: `d${index}`, text: `t${index % 2900}` }))
  for (const at of [0, 1000, 2000]) await scene.admit(texts.slice(at, at + 1000), { manifest })
  const all = await ledger.parts(manifest)
  expect(all).toHaveLength(3000)

  const fields = { reason: '', delayMs: 0, attempts: 0, failures: 0 }
  const to = { id: scene.newId(), kind: 'request' as const }
  scripts = 0
  const moved = await ledger.move(manifest, owner, [all[2950]!], to, fields)
  expect(moved.kind === 'moved' && moved.parts.map(({ offset }) => offset)).toEqual([50n, 2950n])
  expect(scripts).toBeGreaterThan(5)
  scripts = 0
  await ledger.move(manifest, owner, [all[1]!, all[2901]!], { ...to, id: scene.newId() }, fields)
  expect(scripts).toBe(1)

  await ledger.switchLanes({
    expectedEpoch: 1,
    epoch: 2,
    lanes: new Map(),
    defaultLane: 'realtime',
    release: 'open'
  })
  scripts = 0
  const taken = await ledger.takeover(manifest, { owner: other, epoch: 2, lane: 'realtime' })
  expect(taken.kind === 'taken' && taken.parts.length).toBe(2996)
  expect(scripts).toBeGreaterThan(5)
})

test('processed keys are kept as integer sets, documents and parts as packed lists', async () => {
  const namespace = randomUUID()
  const scene = await sceneIn(namespace)
  const given = Array.from({ length: 500 }, (_, index) => ({ doc: `d${index}`, text: `t${index}` }))
  await scene.index(given)
  await scene.admit(given.map(({ doc }) => ({ doc, text: `new ${doc}` })))

  const encodings = new Map<string, string>()
  for (const key of await redis.keys(`{${namespace}}:*`)) {
    const kind = key.split(':')[1] ?? ''
    encodings.set(kind, String(await redis.object('ENCODING', key)))
  }
  expect(encodings.get('processed')).toBe('intset')
  for (const kind of ['latest', 'paying', 'parts'])
    expect(encodings.get(kind)).toMatch(/^(listpack|ziplist)$/)
})

test('a server that may lose or evict what it was given is named when the ledger is opened', async () => {
  const warnings: string[] = []
  const lossy = Object.create(redis) as Redis
  lossy.config = (async (_: string, name: string) => [
    name,
    name === 'appendonly' ? 'no' : 'noeviction'
  ]) as never
  await new RedisLedger(lossy, randomUUID(), { warn: text => warnings.push(text) }).open('realtime')
  expect(warnings.join('\n')).toContain('appendonly is no')

  lossy.config = (() => Promise.reject(new Error('ERR unknown command'))) as never
  warnings.length = 0
  await new RedisLedger(lossy, randomUUID(), { warn: text => warnings.push(text) }).open('realtime')
  expect(warnings).toEqual([expect.stringContaining('CONFIG GET is refused')])
})

test('a reply that is lost with its connection is asked for again, and every transition has happened once', async () => {
  await using gate = await openGate(url)
  const shaky = await openRedis({ REDIS_URL: gate.url }, silent)
  const namespace = randomUUID()
  const ledger = new RedisLedger(shaky, namespace)
  const scene = await LedgerScene.open(ledger)
  const calm = await sceneIn(randomUUID())

  const answers = async (of: LedgerScene, disturb: () => void): Promise<unknown[]> => {
    disturb()
    const { reply, obligation } = await of.admit([
      { doc: 'a', text: 'A' },
      { doc: 'b', text: 'B' },
      { doc: 'c', text: 'A' }
    ])
    disturb()
    const attempt = await of.ledger.attempt(obligation, of.owner, 1, 3)
    const parts = await of.ledger.parts(obligation)
    disturb()
    const id = of.newId()
    const fields = { reason: 'failed', delayMs: 0, attempts: 1, failures: 0 }
    const moved = await of.ledger.move(
      obligation,
      of.owner,
      parts.slice(0, 1),
      { id, kind: 'orphan' },
      fields
    )
    disturb()
    const taken = await of.ledger.takeover(id, { owner: of.other, epoch: 1, lane: 'realtime' })
    const manifest = of.newId()
    disturb()
    const filled = await of.admit([{ doc: 'd', text: 'D' }, { doc: 'e' }], { manifest, owner: of.other })
    disturb()
    const orphaned = await of.ledger.parts(id)
    disturb()
    const into = { id: manifest, kind: 'manifest' as const }
    const gathered = await of.ledger.move(id, of.other, orphaned, into, { ...fields, failures: 1 })
    disturb()
    const sealed = await of.ledger.advance(manifest, of.other, 'open', 'sealed', { creates: 1 })
    await of.ledger.release(of.other)
    disturb()
    const inherited = await of.ledger.takeover(manifest, { owner: of.owner, epoch: 1, lane: 'realtime' })
    await of.finish(manifest)
    await of.ledger.advance(manifest, of.owner, 'sealed', 'archived', {})
    disturb()
    await of.settle(obligation, parts.slice(1, 2))
    disturb()
    const aborted = [await of.ledger.drain({ expectedEpoch: 1, epoch: 2 }), await of.ledger.abortSwitch(2)]
    disturb()
    const drained = await of.ledger.drain({ expectedEpoch: 1, epoch: 3 })
    disturb()
    const switched = await of.ledger.switchLanes({
      expectedEpoch: 1,
      epoch: 3,
      lanes: new Map([[0, 'batch']]),
      defaultLane: 'batch',
      release: 'open'
    })
    const { kind } = inherited
    const past = (await of.ledger.pastJobs(9)).length
    const cut = [aborted, drained, timelessAnswer(switched)]
    return [reply, attempt, moved, taken.kind, filled.reply, gathered, sealed, kind, past, cut]
  }
  expect(await answers(scene, () => gate.loseNextReply())).toEqual(await answers(calm, silent))
  expect(await dumpLedger(new RedisLedger(redis, namespace))).toEqual(await dumpLedger(calm.ledger))
  await closeRedis(shaky)
})

test('without a server every call fails at once, and the client recovers by itself', async () => {
  await using gate = await openGate(url)
  const warnings: string[] = []
  const shaky = await openRedis({ REDIS_URL: gate.url }, text => warnings.push(text))
  const ledger = new RedisLedger(shaky, randomUUID())
  await ledger.open('realtime')
  const woken = vi.fn<() => void>()
  await using _ = await ledger.watch(woken)

  gate.close()
  await vi.waitFor(() => expect(warnings.length).toBeGreaterThan(0))
  await expect(ledger.state()).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
  expect(woken).not.toHaveBeenCalled()

  await gate.reopen()
  await vi.waitFor(() => ledger.state(), { timeout: 5000 })
  await vi.waitFor(() => expect(woken).toHaveBeenCalled(), { timeout: 5000 })
  woken.mockClear()
  await vi.waitFor(
    async () => {
      await ledger.pause(1, 'x', 'y')
      expect(woken).toHaveBeenCalled()
    },
    { timeout: 5000 }
  )
  await closeRedis(shaky)
})

test('a server that cannot be reached at the start is waited for', async () => {
  await using gate = await openGate(url)
  gate.close()
  const shaky = await openRedis({ REDIS_URL: gate.url }, silent)
  const ledger = new RedisLedger(shaky, randomUUID())
  const failure = await ledger.open('realtime').catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(Failure)
  expect(failure).toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
  await expect(ledger.watch(silent)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })

  await gate.reopen()
  await vi.waitFor(() => ledger.open('realtime'), { timeout: 5000 })
  expect((await ledger.register({ instance: 'a', service: 'b', leaseMs: hourMs })).owner).toBe('1.1')
  await closeRedis(shaky)
})
