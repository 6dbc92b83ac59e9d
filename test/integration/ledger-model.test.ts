// The ledger in Redis against its executable specification: the same random commands, equal answers, and equal state
// after each.
import { randomUUID } from 'node:crypto'
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryLedgerServer } from '@pointsman/core/adapters/memory/ledger-server'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { RedisLedger } from '@pointsman/core/adapters/redis/ledger'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Command } from '../support/ledger-commands.ts'
import { histories, historiesWithLosses } from '../support/ledger-commands.ts'
import { drainLedger } from '../support/ledger-drain.ts'
import { dumpLedger, timelessAnswer } from '../support/ledger-dump.ts'
import { LedgerHistory } from '../support/ledger-history.ts'

let redis: Awaited<ReturnType<typeof openRedis>>
beforeAll(async () => {
  redis = await openRedis({ REDIS_URL: inject('redisUrl') }, () => undefined)
})
afterAll(() => closeRedis(redis))

async function keysOf(namespace: string): Promise<string[]> {
  const keys: string[] = []
  for await (const batch of redis.scanStream({ match: `{${namespace}}:*`, count: 10_000 })) {
    keys.push(...(batch as string[]).map(key => key.slice(namespace.length + 3)))
  }
  return keys
}

/** What a ledger consists of when no work is outstanding. */
const lasting = /^(state|counts|past|latest:\d+|processed:\d+)$/
const ofObligation = /^(?:obligation|answer|segments|joined|parts):(\d+)(?::|$)/

/** Keys that nothing will ever remove. @param waiting - numbers of the obligations that are left. */
function leftBehind(keys: readonly string[], waiting: readonly string[]): readonly string[] {
  return keys.filter(key => {
    if (lasting.test(key)) return false
    const number = ofObligation.exec(key)?.[1]
    return number === undefined ? waiting.length === 0 : !waiting.includes(number)
  })
}

/** Carries out the same on both, and compares every answer and the whole state after each. */
async function compareLedgers(commands: readonly Command[]): Promise<void> {
  const namespace = `model-${randomUUID()}`
  const specified = new MemoryLedger(new MemoryLedgerServer(() => Date.now()))
  const real = new RedisLedger(redis, namespace)
  await specified.open('realtime')
  await real.open('realtime')
  const history = new LedgerHistory(specified, real)

  for (const command of commands) {
    const [expected, actual] = (await history.step(command)).answers
    expect(timelessAnswer(actual)).toEqual(timelessAnswer(expected))
    expect(await dumpLedger(real)).toEqual(await dumpLedger(specified))
  }

  for (const ledger of [specified, real]) {
    await ledger.endRebuild({ epoch: 9, defaultLane: 'realtime', partitions: new Map() })
    await drainLedger(ledger)
  }
  expect(await dumpLedger(real)).toEqual(await dumpLedger(specified))
  const keys = await keysOf(namespace)
  const waiting = await redis.hvals(`{${namespace}}:obligations`)
  expect(leftBehind(keys, waiting)).toEqual([])
  await redis.unlink(keys.map(key => `{${namespace}}:${key}`))
}

const bounds = { numRuns: 60, interruptAfterTimeLimit: 10_000 }

test('Redis answers as the specification does, command by command, and leaves nothing behind', async () => {
  await fc.assert(fc.asyncProperty(histories(60), compareLedgers), bounds)
})

test('so it does when it is lost, and told what was before it', async () => {
  await fc.assert(fc.asyncProperty(historiesWithLosses(40), compareLedgers), bounds)
})
