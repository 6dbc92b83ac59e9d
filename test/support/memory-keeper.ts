// The part of a controller that opens and rebuilds the ledger, for a `MemoryLane`; and the one instant at which a test
// loses it.
import { MemoryBatchProvider } from '@pointsman/core/adapters/memory/batch-provider'
import { MemoryControlLog } from '@pointsman/core/adapters/memory/control-log'
import { MemoryLogAdmin } from '@pointsman/core/adapters/memory/event-log-admin'
import { MemoryRangeReader } from '@pointsman/core/adapters/memory/event-log-range-reader'
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import type { Lane } from '@pointsman/core/domain/lane'
import type { BatchProvider } from '@pointsman/core/ports/batch-provider'
import { systemClock } from '@pointsman/core/runtime/clock'
import type { Failpoint, HitFailpoint } from '@pointsman/core/runtime/failpoint'
import { namesOf } from '@pointsman/core/runtime/names'
import { LedgerKeeper } from '../../services/controller/src/rebuild/ledger-keeper.ts'
import type { MemoryLane } from './memory-lane.ts'

/** As patient as the tests are. */
const quickClock = {
  ...systemClock,
  sleep: async (ms: number, signal: AbortSignal) => systemClock.sleep(Math.min(ms, 100), signal)
}

export interface RunningKeeper extends AsyncDisposable {
  readonly warnings: readonly string[]
}

/** Resolves when it has looked at the ledger once: the log then has a record of this life. */
export async function startKeeper(
  world: MemoryLane,
  initialMode: Lane,
  provider: BatchProvider = new MemoryBatchProvider()
): Promise<RunningKeeper> {
  const warnings: string[] = []
  const { codec, deadLetters, embedder, ledgerServer, log, store } = world
  const keeper = new LedgerKeeper({
    initialMode,
    listGraceMs: 20,
    hit: () => undefined,
    warn: message => warnings.push(message),
    info: () => undefined,
    parts: {
      codec,
      embedder,
      provider,
      store,
      letters: deadLetters,
      admin: new MemoryLogAdmin(log),
      ranges: new MemoryRangeReader(log),
      ledger: new MemoryLedger(ledgerServer),
      control: new MemoryControlLog(),
      clock: quickClock,
      names: namesOf('pointsman'),
      spec: { model: embedder.model, dimensions: embedder.dimensions }
    }
  })
  const stopping = new AbortController()
  await keeper.step(stopping.signal)
  const ended = keeper.run(stopping.signal).catch(() => undefined)
  return {
    warnings,
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      await ended
    }
  }
}

export interface LossAt {
  readonly hit: HitFailpoint
  readonly happened: () => boolean
  /** Inputs of the attempts that were journalled then: what the loss may cost. */
  readonly inputsAtRisk: () => number
}

/** Loses the ledger at the first hit of a failpoint, as FLUSHALL does. */
export function loseLedgerAt(world: MemoryLane, at: Failpoint): LossAt {
  let inputsAtRisk: number | undefined
  return {
    hit: name => {
      if (name !== at || inputsAtRisk !== undefined) return
      const obligations = [...(world.ledgerServer.state?.obligations.values() ?? [])]
      inputsAtRisk = obligations.reduce((sum, obligation) => sum + obligation.inputsAtRisk, 0)
      world.ledgerServer.lose()
    },
    happened: () => inputsAtRisk !== undefined,
    inputsAtRisk: () => inputsAtRisk ?? 0
  }
}
