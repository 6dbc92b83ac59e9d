import type { DocumentCodec, LogAdmin } from '../ports/event-log.ts'
import type { Ledger } from '../ports/ledger.ts'
import type { VectorStore } from '../ports/vector-store.ts'
import { Gate, type GateOptions } from '../runtime/gate.ts'

/** One before each dependency of a lane. */
export interface LaneGates {
  readonly log: Gate
  readonly registry: Gate
  readonly ledger: Gate
  readonly store: Gate
  readonly provider: Gate
}

export interface GatedPorts {
  readonly admin: LogAdmin
  readonly codec: DocumentCodec
  readonly ledger: Ledger
  readonly store: VectorStore
}

/** @param checkProvider - resolves when the provider would take a call; must not cost money. */
export function openGates(
  { admin, codec, ledger, store }: GatedPorts,
  checkProvider: (signal: AbortSignal) => Promise<void>,
  options: GateOptions
): LaneGates {
  return {
    log: new Gate('log', () => admin.bounds(), options),
    registry: new Gate('registry', signal => codec.prepare(signal), options),
    ledger: new Gate('ledger', () => ledger.state(), options),
    store: new Gate('store', signal => store.check(signal), options),
    provider: new Gate('provider', checkProvider, options)
  }
}
