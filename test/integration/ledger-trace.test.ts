// The trace of a ledger in Redis: the specification accepts what happened, whatever becomes of clients and server.
import { once } from 'node:events'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { histories, historiesWithLosses } from '../support/ledger-commands.ts'
import { LedgerHistory } from '../support/ledger-history.ts'
import { LedgerScene } from '../support/ledger-scene.ts'
import {
  copyOf,
  emptyNamespace,
  newNamespace,
  putBack,
  replay,
  tracedLedger,
  traceOf,
  untilCollected
} from '../support/ledger-traces.ts'
import { tellStory } from '../support/ledger-story.ts'
import { openGate } from '../support/reply-gate.ts'

const silent = (): void => undefined
const url = inject('redisUrl')
let redis: Awaited<ReturnType<typeof openRedis>>
beforeAll(async () => {
  redis = await openRedis({ REDIS_URL: url }, silent)
})
afterAll(() => closeRedis(redis))

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
    { numRuns: 30, interruptAfterTimeLimit: 4_000 }
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

test('a manifest so large that a move names what shares with its parts, and a takeover lists none', async () => {
  const namespace = newNamespace()
  const entries = await traceOf(redis, namespace, async () => {
    const scene = await LedgerScene.open(tracedLedger(redis, namespace))
    const { ledger, other, owner } = scene
    const manifest = scene.newId()
    for (const page of [0, 1]) {
      // The last text of the second page is the first of the first one.
      const given = Array.from({ length: 1_100 }, (_, i) => ({
        doc: `${page}.${i}`,
        text: page * i === 1_099 ? '0.0' : `${page}.${i}`
      }))
      await scene.admit(given, { manifest })
    }
    const named = (await ledger.parts(manifest)).slice(0, 1)
    const to = { id: scene.newId(), kind: 'orphan' as const }
    const fields = { reason: 'test', delayMs: 0, attempts: 0, failures: 0 }
    expect(await ledger.move(manifest, owner, named, to, fields)).toMatchObject({ parts: { length: 2 } })
    await ledger.drain({ expectedEpoch: 1, epoch: 2 })
    await ledger.abortSwitch(2)
    const claim = { owner: other, epoch: 1, lane: 'realtime' as const }
    expect(await ledger.takeover(manifest, claim)).toMatchObject({ parts: { length: 2_198 } })
  })
  const { calls, divergence, untold } = await replay(entries)
  expect(divergence).toBeUndefined()
  expect({ untold, moves: calls['move'] }).toEqual({ untold: 1, moves: 2 })
})

test('a Redis that is emptied in the middle: what was collected is the beginning of a life', async () => {
  const namespace = newNamespace()
  const entries = await traceOf(redis, namespace, async () => {
    const lost = tracedLedger(redis, namespace)
    await tellStory(lost)
    await untilCollected(redis, namespace)
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
    await untilCollected(redis, namespace)
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
