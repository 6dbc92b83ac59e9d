// The trace of a ledger in Redis: what happened is accepted by the specification, and whatever did not happen is not.
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { redisLedger } from '@pointsman/core/adapters/redis/open-ledger'
import type { Ledger } from '@pointsman/core/ports/ledger'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { collectTrace } from '../../tools/trace/collect-trace.ts'
import { type Replayed, replayTrace } from '../../tools/trace/replay-trace.ts'
import { histories, historiesWithLosses } from '../support/ledger-commands.ts'
import { LedgerHistory } from '../support/ledger-history.ts'

const silent = (): void => undefined
const url = inject('redisUrl')
let redis: Awaited<ReturnType<typeof openRedis>>
let folder: string
beforeAll(async () => {
  redis = await openRedis({ REDIS_URL: url }, silent)
  folder = await mkdtemp(join(tmpdir(), 'trace-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  await closeRedis(redis)
})

function traced(namespace: string, connection = redis): Ledger {
  const settings = { POINTSMAN_NAMESPACE: namespace, POINTSMAN_LEDGER_TRACE: namespace }
  return redisLedger(connection, settings, 'test', silent)
}

/** The lines of what was traced while something went on. */
async function traceOf(namespace: string, goOn: () => Promise<void>): Promise<readonly string[]> {
  const file = join(folder, randomUUID())
  const stop = new AbortController()
  const collected = collectTrace(redis, namespace, file, stop.signal)
  await goOn()
  stop.abort()
  const entries = await collected
  const lines = (await readFile(file, 'utf8')).split('\n').filter(line => line !== '')
  expect(lines).toHaveLength(entries)
  return lines
}

async function replay(lines: readonly string[]): Promise<Replayed> {
  return replayTrace(
    (async function* () {
      yield* lines
    })()
  )
}

test.each([
  ['histories', histories(80)],
  ['histories in which the ledger is lost and rebuilt', historiesWithLosses(60)]
])('random %s are accepted, transition by transition', async (_, commands) => {
  await fc.assert(
    fc.asyncProperty(commands, async history => {
      const namespace = `trace-${randomUUID()}`
      const lines = await traceOf(namespace, async () => {
        const ledger = traced(namespace)
        await ledger.open('realtime')
        const steps = new LedgerHistory(ledger)
        for (const command of history) await steps.step(command)
      })
      const { divergence, transitions } = await replay(lines)
      expect(divergence).toBeUndefined()
      expect(transitions).toBe(lines.length)
    }),
    { numRuns: 40, interruptAfterTimeLimit: 8_000 }
  )
})
