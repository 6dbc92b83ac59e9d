// The batch lane on memory adapters: a `MemoryLane` with a provider of jobs, whose bill and jobs a test looks at.
import {
  MemoryBatchProvider,
  type MemoryBatchProviderOptions
} from '@pointsman/core/adapters/memory/batch-provider'
import type { LaneOptions } from '@pointsman/core/lane/lane-options'
import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import type { BatchOptions } from '../../services/embedder-batch/src/batch-deps.ts'
import { BatchLane, type BatchPorts } from '../../services/embedder-batch/src/batch-lane.ts'
import {
  type DoomedLane,
  type LaneSort,
  MemoryLane,
  type Overrides,
  type RunningLane
} from './memory-lane.ts'

type Options = LaneOptions & BatchOptions

/** Waits are of the order of the tests' patience; counts are small enough to be reached. */
const quick: BatchOptions = {
  minLines: 2,
  maxLines: 20,
  maxBytes: 1_000_000,
  maxEnqueuedTokens: 1_000_000,
  maxJobs: 3,
  sealAfterMs: 50,
  minPollMs: 5,
  maxPollMs: 20,
  deadlineMs: 60_000,
  doubtGraceMs: 20,
  retryDelayMs: 20,
  maxFailures: 3
}

export class MemoryBatchLane extends MemoryLane {
  readonly provider: MemoryBatchProvider

  /** Jobs end at the third look by default. */
  constructor(options: MemoryBatchProviderOptions = {}) {
    super()
    this.provider = new MemoryBatchProvider({ pace: { kind: 'reports', count: 3 }, ...options })
  }

  /** Starts an instance of the batch lane. */
  startBatch(instance: string, overrides: Overrides<BatchPorts, Options> = {}): RunningLane {
    return this.startLane(this.#sort, instance, overrides)
  }

  /** Starts an instance that dies at its first hit of `at`. */
  startDoomedBatch(instance: string, at: Failpoint): DoomedLane {
    return this.startDoomedLane(this.#sort, instance, at)
  }

  /** How many payments were made beyond the first of each text. */
  get repeatedPayments(): number {
    return [...this.provider.server.payments.values()].reduce((sum, times) => sum + times - 1, 0)
  }

  /** Jobs that passed validation, by manifest. */
  get jobsByManifest(): Readonly<Record<string, number>> {
    const ran = this.provider.server.jobs.filter(({ status }) => status !== 'failed')
    const groups = Object.groupBy(ran, ({ key }) => key.manifest)
    return Object.fromEntries(Object.entries(groups).map(([manifest, jobs]) => [manifest, jobs?.length ?? 0]))
  }

  get #sort(): LaneSort<BatchPorts, Options> {
    return {
      lane: 'batch',
      ports: (common, _world, wrap) => ({ ...common, provider: wrap(this.provider) }),
      options: common => ({ ...common, ...quick }),
      make: (ports, options) => new BatchLane(ports, options, options)
    }
  }
}
