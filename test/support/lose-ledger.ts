import { vi } from 'vitest'
import { Redis } from 'ioredis'
import { z } from 'zod'
import type { EmbedderProcess, RealLane } from './real-lane.ts'

/** All keys of the namespace go, as if Redis had forgotten them. */
export async function loseLedger({ env }: RealLane): Promise<void> {
  const redis = new Redis(env['REDIS_URL'] ?? '')
  try {
    const pattern = `{${env['POINTSMAN_NAMESPACE'] ?? ''}}:*`
    for await (const keys of redis.scanStream({ match: pattern })) {
      const names = z.array(z.string()).parse(keys)
      if (names.length > 0) await redis.unlink(names)
    }
  } finally {
    redis.disconnect()
  }
}

/** As `loseLedger`, while the embedder stands still. @returns how many inputs were at risk then. */
export async function loseLedgerWhileFrozen(lane: RealLane, embedder: EmbedderProcess): Promise<number> {
  embedder.signal('SIGSTOP')
  const atRisk = await lane.inputsAtRisk()
  await loseLedger(lane)
  embedder.signal('SIGCONT')
  return atRisk
}

/** Waits until a ledger that was lost is rebuilt; from then on this is the one that is looked at. */
export async function rebuilt(lane: RealLane, timeoutMs = 60_000): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rebuild } = await lane.ledger.open('realtime', 'lost')
      if (rebuild !== undefined) throw new Error(`rebuild: ${rebuild.stage}\n${lane.said}`)
    },
    { timeout: timeoutMs, interval: 100 }
  )
}
