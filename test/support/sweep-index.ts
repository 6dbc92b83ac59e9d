import type { Ledger } from '@pointsman/core/ports/ledger'
import type { VectorStore } from '@pointsman/core/ports/vector-store'
import { systemClock } from '@pointsman/core/runtime/clock'
import { Sweeper, sweepPolicy } from '../../services/controller/src/sweeper/sweeper.ts'

const never = new AbortController().signal

/** A walk of the sweeper through the whole index, without its pauses. */
export async function sweepIndex(ledger: Ledger, store: VectorStore): Promise<void> {
  const deps = { ledger, store, clock: systemClock, trouble: () => '', onPage: () => undefined }
  const sweeper = new Sweeper(deps, sweepPolicy(0))
  for (;;) {
    const step = await sweeper.step(never)
    if (step === 'ended') return
    if (step === 'resting') throw new Error(sweeper.report().resting)
  }
}
