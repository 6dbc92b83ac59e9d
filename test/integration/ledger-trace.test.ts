// The trace of a ledger in Redis: what happened is accepted by the specification, and what did not happen is not.
import { once } from 'node:events'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { RedisLedger } from '@pointsman/core/adapters/redis/ledger'
import type { Ledger } from '@pointsman/core/ports/ledger'
import { encode } from '@msgpack/msgpack'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { replyOf, type TraceEntry } from '../../tools/trace/trace-entry.ts'
import { histories, historiesWithLosses } from '../support/ledger-commands.ts'
import { LedgerHistory } from '../support/ledger-history.ts'
import { LedgerScene } from '../support/ledger-scene.ts'
import {
  copyOf,
  emptyNamespace,
  newNamespace,
  putBack,
  renumbered,
  replay,
  tracedLedger,
  traceOf
} from '../support/ledger-traces.ts'
import { openGate } from '../support/reply-gate.ts'

const silent = (): void => undefined
const url = inject('redisUrl')
let redis: Awaited<ReturnType<typeof openRedis>>
beforeAll(async () => {
  redis = await openRedis({ REDIS_URL: url }, silent)
})
afterAll(() => closeRedis(redis))

async function untilCollected(namespace: string): Promise<void> {
  await vi.waitFor(async () => expect(await redis.xlen(`{${namespace}}.trace`)).toBe(0), { timeout: 5_000 })
}

/** Some of everything: each transition matters to a later one. */
async function tellStory(ledger: Ledger): Promise<void> {
  const scene = await LedgerScene.open(ledger)
  const { other, owner } = scene
  const first = await scene.admit([
    { doc: 'a', text: 'A' },
    { doc: 'b', text: 'B' },
    { doc: 'c', text: 'A' }
  ])
  await ledger.watermarks()
  await scene.finish(first.obligation)
  const { obligation } = await scene.admit([{ doc: 'd', text: 'D' }])
  await ledger.attempt(obligation, owner, 1, 1)
  const orphan = scene.newId()
  const fields = { reason: 'failed', delayMs: 0, attempts: 9, failures: 0 }
  await ledger.move(obligation, owner, await ledger.parts(obligation), { id: orphan, kind: 'orphan' }, fields)
  await ledger.takeover(orphan, { owner: other, epoch: 1, lane: 'realtime' })
  await ledger.settle(
    orphan,
    other,
    (await ledger.parts(orphan)).map(part => ({ part, settlement: 'dead' })),
    5
  )
  const manifest = scene.newId()
  const deletion = await scene.admit(
    [
      { doc: 'e', text: 'E' },
      { doc: 'a', version: 2 }
    ],
    { manifest, partition: 1 }
  )
  await scene.finish(deletion.obligation)
  await scene.admit([{ doc: 'f', text: 'E' }])
  await scene.bringTo(manifest, 'terminal')
  await scene.finish(manifest)
  await ledger.advance(manifest, owner, 'terminal', 'archived', {})
  await ledger.pause(1, 'store is away', 'test')
  await scene.admit([{ doc: 'g', text: 'G' }])
  await ledger.resume(1)
  await ledger.switchLanes({
    expectedEpoch: 1,
    epoch: 3,
    lanes: new Map([[0, 'batch']]),
    defaultLane: 'batch',
    release: 'open'
  })
  await scene.index([{ doc: 'g', text: 'G' }], { epoch: 3, lane: 'batch' })
  await scene.index(
    [
      { doc: 'a', text: 'new', version: 3 },
      { doc: 'd', text: 'D' }
    ],
    { epoch: 3, partition: 1 }
  )
  await scene.admit([{ doc: 'h', text: 'H' }], { epoch: 3, partition: 1, manifest })
  await scene.finish(manifest)
  await ledger.watermarks()
}

describe('what happened is accepted', () => {
  test.each([
    ['histories', histories(80)],
    ['histories in which the ledger is lost and rebuilt', historiesWithLosses(60)]
  ])('random %s', async (_, commands) => {
    await fc.assert(
      fc.asyncProperty(commands, async history => {
        const namespace = newNamespace()
        const entries = await traceOf(redis, namespace, async () => {
          const ledger = tracedLedger(redis, namespace)
          await ledger.open('realtime')
          const steps = new LedgerHistory(ledger)
          for (const command of history) await steps.step(command)
        })
        const { divergence, transitions } = await replay(entries)
        expect(divergence).toBeUndefined()
        expect(transitions).toBe(entries.length)
        expect(transitions).toBeGreaterThan(5)
      }),
      { numRuns: 30, interruptAfterTimeLimit: 6_000 }
    )
  })

  test('two clients at once, in the order in which Redis served them', async () => {
    const namespace = newNamespace()
    const second = await openRedis({ REDIS_URL: url }, silent)
    const entries = await traceOf(redis, namespace, async () => {
      const scenes = [
        await LedgerScene.open(tracedLedger(redis, namespace)),
        await LedgerScene.open(tracedLedger(second, namespace))
      ]
      const index = async (scene: LedgerScene, partition: number): Promise<void> => {
        for (let n = 0; n < 40; n++) {
          // Both name the same documents and texts.
          const given = [0, 1, 2].map(i => ({ doc: `d${(n + i) % 7}`, text: `t${n % 5}.${i}`, version: n }))
          const { obligation } = await scene.admit(given, { partition })
          await scene.ledger.attempt(obligation, scene.owner, 1, 3)
          await scene.finish(obligation)
        }
      }
      await Promise.all(scenes.map(index))
    })
    await closeRedis(second)
    const { calls, divergence } = await replay(entries)
    expect(divergence).toBeUndefined()
    expect(calls).toMatchObject({ admit: 80, attempt: 80, settle: 80 })
  })

  test('a client that dies between a transition and its answer, and another one that takes over', async () => {
    const namespace = newNamespace()
    await using gate = await openGate(url)
    const doomed = await openRedis({ REDIS_URL: gate.url }, silent)
    const entries = await traceOf(redis, namespace, async () => {
      const scene = await LedgerScene.open(tracedLedger(doomed, namespace))
      await scene.index([{ doc: 'a', text: 'A' }])
      gate.loseNextReply()
      const obligation = scene.newId()
      const died = once(doomed, 'close')
      const unanswered = scene.admit([{ doc: 'b', text: 'B' }], { obligation })
      unanswered.catch(silent)
      await died
      doomed.disconnect()

      const heir = await LedgerScene.open(tracedLedger(redis, namespace))
      await heir.ledger.release(scene.owner)
      const claim = { owner: heir.owner, epoch: 1, lane: 'realtime' as const }
      expect(await heir.ledger.takeover(obligation, claim)).toMatchObject({ kind: 'taken' })
      await heir.finish(obligation)
    })
    const { calls, divergence } = await replay(entries)
    expect(divergence).toBeUndefined()
    expect(calls).toMatchObject({ admit: 2, takeover: 1, settle: 2 })
  })

  test('a command that is sent again, twice', async () => {
    const namespace = newNamespace()
    await using gate = await openGate(url)
    const shaky = await openRedis({ REDIS_URL: gate.url }, silent)
    const entries = await traceOf(redis, namespace, async () => {
      const scene = await LedgerScene.open(tracedLedger(shaky, namespace))
      gate.loseNextReply()
      await scene.admit([{ doc: 'a', text: 'A' }])
    })
    await closeRedis(shaky)
    const { calls, divergence } = await replay(entries)
    expect(divergence).toBeUndefined()
    expect(calls).toMatchObject({ admit: 2 })
  })

  test('a Redis that is emptied in the middle: what was collected is the beginning of a life', async () => {
    const namespace = newNamespace()
    const entries = await traceOf(redis, namespace, async () => {
      const lost = tracedLedger(redis, namespace)
      await tellStory(lost)
      await untilCollected(namespace)
      await lost.pause(3, 'perhaps not collected any more', 'test')
      await emptyNamespace(redis, namespace)
      await expect(lost.watermarks()).rejects.toMatchObject({ code: 'LEDGER_FOREIGN' })

      const ledger = tracedLedger(redis, namespace)
      await ledger.open('realtime', 'lost')
      await expect(ledger.watermarks()).rejects.toMatchObject({ code: 'LEDGER_REBUILDING' })
      const lanes = new Map([[0, { lane: 'realtime' as const, frontier: 2n }]])
      await ledger.endRebuild({ epoch: 5, defaultLane: 'realtime', partitions: lanes })
      await ledger.openPartition(1, 0n)
      await ledger.watermarks()
      await expect(lost.watermarks()).rejects.toMatchObject({ code: 'LEDGER_FOREIGN' })
    })
    const { divergence, ledgers, losses, refused } = await replay(entries)
    expect(divergence).toBeUndefined()
    expect(ledgers).toHaveLength(2)
    expect({ losses, refused }).toEqual({ losses: 1, refused: 3 })
  })

  test('a ledger that somebody gives up', async () => {
    const namespace = newNamespace()
    const entries = await traceOf(redis, namespace, async () => {
      const ledger = tracedLedger(redis, namespace)
      await tellStory(ledger)
      const { ledgerId } = await ledger.state()
      await ledger.distrust(ledgerId, 'lost by a test')
      await expect(ledger.watermarks()).rejects.toMatchObject({ code: 'LEDGER_FOREIGN' })
      expect(await ledger.open('batch')).toMatchObject({ rebuild: { because: 'lost by a test' } })
      await ledger.endRebuild({ epoch: 4, defaultLane: 'batch', partitions: new Map() })
      await ledger.openPartition(0, 7n)
    })
    const { divergence, ledgers } = await replay(entries)
    expect(divergence).toBeUndefined()
    expect(ledgers).toHaveLength(2)
  })

  test('a Redis that goes on from an older copy: nothing is said of it until another ledger stands there', async () => {
    const namespace = newNamespace()
    const entries = await traceOf(redis, namespace, async () => {
      const scene = await LedgerScene.open(tracedLedger(redis, namespace))
      await scene.index([{ doc: 'a', text: 'A' }])
      const copy = await copyOf(redis, namespace)
      await scene.index([{ doc: 'b', text: 'B' }])
      await scene.ledger.pause(1, 'seen by the caller alone', 'test')
      await untilCollected(namespace)
      await putBack(redis, copy)
      await expect(scene.ledger.watermarks()).rejects.toMatchObject({ code: 'LEDGER_FOREIGN' })
      expect(await scene.ledger.open('realtime')).toMatchObject({ rebuild: { stage: 'waiting' } })
      await scene.ledger.endRebuild({ epoch: 4, defaultLane: 'batch', partitions: new Map() })
      await scene.ledger.openPartition(0, 7n)
    })
    const back = entries.findIndex(({ serial }, at) => serial < (entries[at - 1]?.serial ?? 0))
    const inLaterRun = entries.slice(back).map(entry => ({ ...entry, run: 'later' }))
    const told = await replay([...entries.slice(0, back), ...inLaterRun])
    expect(told).toMatchObject({ divergence: undefined, rollbacks: 1, transitions: entries.length })
    expect(told.unfollowed).toBeGreaterThan(0)
    expect(told.unfollowed).toBeLessThan(inLaterRun.length - 2)
    // In one life of a server no number falls.
    expect((await replay(entries)).divergence?.line).toBe(back + 1)
  })
})

describe('what did not happen is rejected', () => {
  let story: readonly TraceEntry[]
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
})
