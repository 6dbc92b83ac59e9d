import { vi } from 'vitest'
import { Redis } from 'ioredis'
import type { EmbedderProcess, RealLane } from './real-lane.ts'

// In one step: a controller would begin another ledger as soon as the first keys are gone, and lose the beginning of that.
const unlinkAll = `
  local cursor = '0'
  repeat
    local found = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', 1000)
    cursor = found[1]
    if #found[2] > 0 then redis.call('UNLINK', unpack(found[2])) end
  until cursor == '0'`

/** All keys of the namespace go, as if Redis had forgotten them. */
export async function loseLedger({ env }: RealLane): Promise<void> {
  const redis = new Redis(env['REDIS_URL'] ?? '')
  try {
    await redis.eval(unlinkAll, 0, `{${env['POINTSMAN_NAMESPACE'] ?? ''}}:*`)
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
