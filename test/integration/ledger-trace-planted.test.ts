// The trace of a ledger in Redis: the specification rejects what did not happen.
import { encode } from '@msgpack/msgpack'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { RedisLedger } from '@pointsman/core/adapters/redis/ledger'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { replyOf, type TraceEntry } from '../../tools/trace/trace-entry.ts'
import { LedgerScene } from '../support/ledger-scene.ts'
import { tellStory } from '../support/ledger-story.ts'
import { newNamespace, renumbered, replay, tracedLedger, traceOf } from '../support/ledger-traces.ts'

let redis: Awaited<ReturnType<typeof openRedis>>
let story: readonly TraceEntry[]
beforeAll(async () => {
  redis = await openRedis({ REDIS_URL: inject('redisUrl') }, () => undefined)
})
afterAll(() => closeRedis(redis))

beforeAll(async () => {
  const namespace = newNamespace()
  story = await traceOf(redis, namespace, () => tellStory(tracedLedger(redis, namespace)))
  expect(await replay(story)).toMatchObject({ divergence: undefined, transitions: story.length })
})

test('an entry that is missing, twice there, or changed its place with the next one', async () => {
  for (const [at, entry] of story.slice(0, -1).entries()) {
    expect((await replay(story.toSpliced(at, 1))).divergence).toBeDefined()
    expect((await replay(story.toSpliced(at, 0, entry))).divergence).toBeDefined()
    expect((await replay(story.toSpliced(at, 2, story[at + 1]!, entry))).divergence).toBeDefined()
  }
})

test('a transition that is left out so that no number shows it', async () => {
  const changing = story.filter(
    entry => entry.call.method !== 'watermarks' && !String(replyOf(entry)).startsWith('paused')
  )
  expect(changing.length).toBeGreaterThan(25)
  for (const entry of changing) {
    const { divergence } = await replay(renumbered(story.filter(other => other !== entry)))
    expect(divergence, `${entry.serial}: ${entry.call.method}`).toBeDefined()
  }
})

test.each<[method: string, reply: unknown]>([
  ['openPartition', ['realtime', '5']],
  ['register', ['1.9']],
  ['admit', ['fenced', '1']],
  ['admit', ['admitted', 'pph|']],
  ['attempt', 'gone'],
  ['settle', ['sgs', '']],
  ['move', ['gone']],
  ['takeover', ['refused', 'alive']],
  ['advance', 'refused'],
  ['watermarks', ['0', '3', '1', '0']],
  ['pause', 0],
  ['switchLanes', ['refused', 'epoch', '1']],
  ['settle', { err: 'LEDGERFOREIGN another ledger' }],
  ['attempt', { err: 'ERR Error running script' }]
])('another answer to %s: %j', async (method, reply) => {
  const at = story.findIndex(({ call }) => call.method === method)
  const edited = { ...story[at]!, reply: Buffer.from(encode(reply)).toString('base64') }
  const { divergence } = await replay(story.with(at, edited))
  expect(divergence?.line).toBe(at + 1)
})

test('a transition of somebody who does not trace', async () => {
  const namespace = newNamespace()
  const entries = await traceOf(redis, namespace, async () => {
    const scene = await LedgerScene.open(tracedLedger(redis, namespace))
    const stranger = new RedisLedger(redis, namespace)
    await stranger.open('realtime')
    await stranger.pause(1, 'unseen', 'test')
    expect(await scene.admit([{ doc: 'a', text: 'A' }])).toMatchObject({ reply: { kind: 'paused' } })
  })
  const { divergence } = await replay(entries)
  expect(divergence).toMatchObject({
    because: 'the answers differ',
    recorded: { answer: { kind: 'paused' } }
  })
})
