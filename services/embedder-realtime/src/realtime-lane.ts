// The realtime lane: every request buys its vectors at once.
import { LaneInstance } from '@pointsman/core/lane/lane-instance'
import type { LaneOptions } from '@pointsman/core/lane/lane-options'
import type { LanePorts } from '@pointsman/core/lane/lane-ports'
import type { Embedder } from '@pointsman/core/ports/embedder'
import type { Readiness } from '@pointsman/core/runtime/health-server'
import { BoughtVectors } from './bought-vectors.ts'
import { ProviderLimit } from './provider-limit.ts'

export interface RealtimePorts extends LanePorts {
  readonly embedder: Embedder
}

export interface RealtimeOptions extends LaneOptions {
  /** Inputs of one embedding request, and their tokens: an admission is a request. */
  readonly requestInputs: number
  readonly requestTokens: number
  readonly maxInFlight: number
  readonly maxAttempts: number
  /** How long texts whose attempts all ended unknown rest before they are tried again apart. */
  readonly doubtDelayMs: number
}

/** Obligations that may wait for the index while the provider serves others. */
const worksAhead = 4

export class RealtimeLane {
  /** Requests in flight and how many may be. */
  readonly limit: ProviderLimit
  readonly #instance: LaneInstance

  constructor(ports: RealtimePorts, options: RealtimeOptions) {
    const { clock, embedder } = ports
    const { doubtDelayMs, maxAttempts, maxInFlight, requestInputs, requestTokens } = options
    const limit = new ProviderLimit({ clock, maxInFlight })
    this.limit = limit
    this.#instance = new LaneInstance(
      {
        lane: 'realtime',
        spec: { model: embedder.model, dimensions: embedder.dimensions },
        admitInputs: requestInputs,
        admitTokens: requestTokens,
        maxWorks: maxInFlight + worksAhead,
        checkProvider: signal => embedder.check(signal),
        kind: deps => ({
          ready: () => Promise.resolve({}),
          admitted: items => items,
          sourceOf: work => new BoughtVectors({ ...deps, embedder, limit, maxAttempts, doubtDelayMs }, work),
          loops: []
        })
      },
      ports,
      options
    )
  }

  readiness(): Readiness {
    return this.#instance.readiness()
  }

  /** See `LaneInstance.run`. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#instance.run(signal)
  }
}
