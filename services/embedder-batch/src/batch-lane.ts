// The batch lane: texts are paid for in jobs of the provider, at half the price.
import { LaneInstance } from '@pointsman/core/lane/lane-instance'
import type { LaneOptions } from '@pointsman/core/lane/lane-options'
import type { LanePorts } from '@pointsman/core/lane/lane-ports'
import { Slots } from '@pointsman/core/lane/slots'
import type { BatchProvider } from '@pointsman/core/ports/batch-provider'
import { Gate } from '@pointsman/core/runtime/gate'
import type { Readiness } from '@pointsman/core/runtime/health-server'
import type { BatchOptions } from './batch-deps.ts'
import { BatchKind } from './batch-kind.ts'

export interface BatchPorts extends LanePorts {
  readonly provider: BatchProvider
}

/** Candidates of an admission and their tokens: small enough to hold up nobody else at the ledger. */
const admitInputs = 256
const admitTokens = 250_000
/** Requests in work at once: deletes, copies and updates, which wait for no job, and what was adopted. */
const maxWorks = 4

export class BatchLane {
  readonly #ports: BatchPorts
  readonly #instance: LaneInstance
  readonly #ended = new AbortController()
  readonly #spool: Gate
  readonly #ledgers = new Set<string>()
  #kind: BatchKind | undefined

  constructor(ports: BatchPorts, laneOptions: LaneOptions, options: BatchOptions) {
    const { clock, provider, warn } = ports
    this.#ports = ports
    this.#spool = new Gate('spool', () => provider.checkSpool(), { clock, warn, signal: this.#ended.signal })
    this.#instance = new LaneInstance(
      {
        lane: 'batch',
        spec: { model: provider.model, dimensions: provider.dimensions },
        admitInputs: Math.min(admitInputs, options.maxLines),
        admitTokens,
        maxWorks,
        checkProvider: signal => provider.check(signal),
        kind: (deps, ledgerId) => {
          const { namespace } = laneOptions.names
          this.#ledgers.add(ledgerId)
          const kind = new BatchKind({
            ...deps,
            provider,
            options,
            gates: { ...deps.gates, spool: this.#spool },
            owned: { namespace, ledger: ledgerId },
            ledgers: this.#ledgers,
            uploading: new Slots(1),
            submitting: new Slots(1),
            indexing: new Slots(1),
            harvesting: new Slots(2)
          })
          this.#kind = kind
          deps.lost.addEventListener('abort', () => {
            this.#kind = undefined
          })
          return kind
        }
      },
      ports,
      laneOptions
    )
  }

  /** What is being filled and carried on; undefined before the start, and without a ledger. */
  get kind(): Pick<BatchKind, 'open' | 'manifests'> | undefined {
    return this.#kind
  }

  readiness(): Readiness {
    const { ready, reasons } = this.#instance.readiness()
    const { closure } = this.#spool
    return closure === undefined
      ? { ready, reasons }
      : { ready: false, reasons: [...reasons, `spool: ${closure.reason}`] }
  }

  /** See `LaneInstance.run`. @throws {Failure} also `SPOOL_UNAVAILABLE`: the directory cannot be written. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#ports.provider.checkSpool()
    try {
      await this.#instance.run(signal)
    } finally {
      this.#ended.abort()
    }
  }
}
