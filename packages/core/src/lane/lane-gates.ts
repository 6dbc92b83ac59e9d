import type { DocumentCodec, LogAdmin } from '../ports/event-log.ts'
import type { VectorStore } from '../ports/vector-store.ts'
import { Gate, type GateOptions } from '../runtime/gate.ts'

/** One before each dependency of a lane that outlives a ledger. */
export interface OuterGates {
  readonly log: Gate
  readonly registry: Gate
  readonly store: Gate
  readonly provider: Gate
}

/** One before each dependency of a lane. */
export interface LaneGates extends OuterGates {
  /** Of one life: what waits for a ledger that was lost waits for ever. */
  readonly ledger: Gate
}

export interface GatedPorts {
  readonly admin: LogAdmin
  readonly codec: DocumentCodec
  readonly store: VectorStore
}

/** @param checkProvider - resolves when the provider would take a call; must not cost money. */
export function openGates(
  { admin, codec, store }: GatedPorts,
  checkProvider: (signal: AbortSignal) => Promise<void>,
  options: GateOptions
): OuterGates {
  return {
    log: new Gate('log', () => admin.bounds(), options),
    registry: new Gate('registry', signal => codec.prepare(signal), options),
    store: new Gate('store', signal => store.check(signal), options),
    provider: new Gate('provider', checkProvider, options)
  }
}
