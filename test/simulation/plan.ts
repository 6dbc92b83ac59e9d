// What happens in a simulation, as data: drawn from a seed, made smaller when it fails, and stored to be played again.
// Whatever is not said here (how long each call takes, which of many is hit) is drawn from the seed while it runs.
import type { JobPlan } from '@pointsman/core/adapters/memory/batch-provider-job'
import type { WriteFault } from '@pointsman/core/adapters/memory/vector-store'
import type { Lane } from '@pointsman/core/domain/lane'
import type { SwitchStrategy } from '@pointsman/core/ports/control-log'
import type { Failpoint } from '@pointsman/core/runtime/failpoint'

export type ServiceKind = 'realtime' | 'batch' | 'controller'

/** What calls go to. */
export type Target = 'ledger' | 'store' | 'embedder' | 'provider' | 'log' | 'control'

/**
 * What becomes of a call.
 * - `refuse`       the other side says no, and has done nothing.
 * - `lose-request` nothing arrives, and nobody says so.
 * - `lose-answer`  it is carried out, and nobody says so.
 * - `late`         the caller gives up, and then it is carried out.
 * - `twice`        it is carried out, and again when the client sends it anew.
 * - `slow`         it takes long.
 */
export type Trouble = 'refuse' | 'lose-request' | 'lose-answer' | 'late' | 'twice' | 'slow'

/** A record of JSON lines, as a person writes it. */
export interface SourceLine {
  readonly id: string
  readonly text?: string
  readonly version?: number
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly deleted?: boolean
}

/** How a job goes: the part of a `JobPlan` that is data. */
export interface PlannedJob extends Omit<JobPlan, 'line' | 'errors'> {
  /** Fault of every n-th line. */
  readonly line?: { readonly each: number; readonly fault: ReturnType<NonNullable<JobPlan['line']>> }
  readonly isRefused?: boolean
}

export type Action = { readonly atMs: number } & (
  | { readonly do: 'ingest'; readonly lines: readonly SourceLine[] }
  /** A record that somebody else writes: an old version that comes late, or one that cannot be read. */
  | {
      readonly do: 'write'
      readonly docId: string
      readonly version: number
      readonly text: string | undefined
    }
  | { readonly do: 'garbage'; readonly partition: number }
  | { readonly do: 'crash'; readonly who: string; readonly downMs: number; readonly at?: Failpoint }
  | { readonly do: 'pause'; readonly who: string; readonly forMs: number }
  | { readonly do: 'restart'; readonly who: string }
  | { readonly do: 'rejoin'; readonly who: string }
  | {
      readonly do: 'trouble'
      readonly target: Target
      readonly trouble: Trouble
      /** Of the calls. */
      readonly share: number
      readonly forMs: number
    }
  | { readonly do: 'job'; readonly job: PlannedJob }
  /** The provider refuses the text. */
  | { readonly do: 'poison'; readonly text: string }
  /** What becomes of the next writes to the index. */
  | { readonly do: 'writes'; readonly faults: readonly WriteFault[] }
  /** The index takes no object of this document any more. */
  | { readonly do: 'reject'; readonly docId: string }
  | {
      readonly do: 'switch'
      readonly by: string
      readonly target: Lane
      readonly strategy: SwitchStrategy
      readonly share: number
      readonly deadlineMs: number
    }
  | { readonly do: 'abort' | 'rollback'; readonly by: string }
  | { readonly do: 'stop-admission'; readonly forMs: number }
  | { readonly do: 'lose-ledger' }
  /** As it was so long before. */
  | { readonly do: 'roll-back-ledger'; readonly byMs: number }
)

export interface Process {
  readonly name: string
  readonly kind: ServiceKind
  /** Its clock is ahead by so much. */
  readonly skewMs: number
}

export interface Plan {
  readonly seed: number
  readonly partitions: number
  readonly initialLane: Lane
  readonly turnaroundMs: number
  /** What the provider's list of jobs is behind. */
  readonly listLagMs: number
  /** Time that a call takes to arrive, and its answer to come back. */
  readonly latencyMs: number
  readonly processes: readonly Process[]
  /** In the order of their times. */
  readonly actions: readonly Action[]
}
