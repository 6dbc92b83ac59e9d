import type { Lane } from '../domain/lane.ts'
import { type Names, namesOf } from '../runtime/names.ts'
import type { LaneSettings } from '../runtime/settings.ts'

/** What an operator chooses for every lane alike. */
export interface LaneOptions {
  readonly instance: string
  readonly names: Names
  /** Partitions of the documents topic when it has to be made. */
  readonly partitions: number
  /** Lane of all partitions when the ledger has to be made. */
  readonly initialMode: Lane
  /** How long the first candidate of an admission waits for company. */
  readonly lingerMs: number
  readonly leaseMs: number
  readonly graceMs: number
}

export function laneOptions(settings: LaneSettings, instance: string): LaneOptions {
  return {
    instance,
    names: namesOf(settings.POINTSMAN_NAMESPACE),
    partitions: settings.DOCUMENTS_PARTITIONS,
    initialMode: settings.POINTSMAN_INITIAL_MODE,
    lingerMs: settings.EMBED_LINGER_MS,
    leaseMs: settings.INSTANCE_LEASE_MS,
    graceMs: settings.SHUTDOWN_GRACE_MS
  }
}
