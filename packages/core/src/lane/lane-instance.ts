// One instance of a lane, from its ports: starts when its dependencies answer, runs until it is told to stop, and says at
// any time whether it is ready and why not. What the lane does otherwise than the other comes as a `LaneKind`.
import type { EmbeddingSpec } from '../domain/identity.ts'
import type { Lane } from '../domain/lane.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeadLetters, DocumentCodec, GroupReader, LogAdmin, RangeReader } from '../ports/event-log.ts'
import type { Ledger } from '../ports/ledger.ts'
import type { VectorStore } from '../ports/vector-store.ts'
import type { HitFailpoint } from '../runtime/failpoint.ts'
import type { Gate } from '../runtime/gate.ts'
import type { Readiness } from '../runtime/health-server.ts'
import { LaneFeed } from './lane-feed.ts'
import { type LaneGates, openGates } from './lane-gates.ts'
import type { LaneKind } from './lane-kind.ts'
import type { LaneOptions } from './lane-options.ts'
import { type StreamDeps, streamLane } from './lane-stream.ts'
import { Membership } from './membership.ts'
import { Slots } from './slots.ts'

/** The outside world of every lane; its provider is its own affair. */
export interface LanePorts {
  readonly ledger: Ledger
  readonly store: VectorStore
  readonly codec: DocumentCodec
  readonly ranges: RangeReader
  readonly deadLetters: DeadLetters
  /** Of the lane's own group. */
  readonly reader: GroupReader
  readonly admin: LogAdmin
  readonly clock: Clock
  readonly hit: HitFailpoint
  readonly warn: (message: string) => void
}

/** What makes an instance one of its lane. */
export interface LanePlan {
  readonly lane: Lane
  readonly spec: EmbeddingSpec
  /** Candidates of one admission, at most 2048, and their tokens. */
  readonly admitInputs: number
  readonly admitTokens: number
  /** Requests in work at once. */
  readonly maxWorks: number
  /** Resolves when the provider would take a call; must not cost money. */
  readonly checkProvider: (signal: AbortSignal) => Promise<void>
  /** Called at each start, when the instance is registered. */
  readonly kind: (deps: StreamDeps, ledgerId: string) => LaneKind
}

/** What waits undecoded for admission, over all partitions. */
const queueBytes = 4 * 1024 * 1024
/** Calls to the index in flight. */
const writesInFlight = 3
/** A reader that heard nothing for so long is not healthy. */
const silenceMs = 30_000
const failpointPrefix = { realtime: 'rt', batch: 'ba' } as const

export class LaneInstance {
  readonly #plan: LanePlan
  readonly #ports: LanePorts
  readonly #options: LaneOptions
  readonly #membership: Membership
  #gates: readonly Gate[] = []
  #feed: LaneFeed | undefined

  constructor(plan: LanePlan, ports: LanePorts, options: LaneOptions) {
    const { clock, ledger } = ports
    const { instance, leaseMs } = options
    this.#plan = plan
    this.#ports = ports
    this.#options = options
    const service = `embedder-${plan.lane}`
    this.#membership = new Membership(ledger, clock, { instance, service, leaseMs })
  }

  readiness(): Readiness {
    const reasons = this.#gates.flatMap(({ closure, name }) =>
      closure ? [`${name}: ${closure.reason}`] : []
    )
    if (this.#feed?.state === undefined) reasons.push('starting: the ledger was not read yet')
    else if (this.#ports.reader.silentMs() > silenceMs) reasons.push('no heartbeat was answered for 30 s')
    for (const [partition, trouble] of this.#feed?.troubles ?? [])
      reasons.push(`partition ${partition}: ${trouble}`)
    return { ready: reasons.length === 0, reasons }
  }

  /**
   * Runs until the signal aborts, then stops in order.
   * @throws {Failure} what only an operator can mend at the start: an unfit topic or collection, a foreign ledger.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { admin, clock, codec, hit, ledger, reader, store, warn } = this.#ports
    const { graceMs, initialMode, names, partitions } = this.#options
    const { kind, lane, maxWorks } = this.#plan
    // Gates outlive the signal: work in flight still passes them in the grace period.
    const ended = new AbortController()
    const gates = openGates(this.#ports, this.#plan.checkProvider, { clock, warn, signal: ended.signal })
    this.#gates = Object.values(gates)
    const lease = new AbortController()

    try {
      await gates.log.run(() => admin.prepare(partitions, signal), signal, 'throw')
      await gates.registry.run(() => codec.prepare(signal), signal, 'throw')
      const { ledgerId } = await gates.ledger.run(() => ledger.open(initialMode), signal, 'throw')
      await gates.store.run(() => store.prepare(signal), signal, 'throw')
      const ghosts = await gates.ledger.run(() => this.#membership.begin(), signal)
      for (const [group, memberId] of ghosts) await gates.log.run(() => admin.evict(group, memberId), signal)

      const feed = this.#openFeed(gates)
      this.#feed = feed
      const renewing = this.#membership.keep(
        () => this.readiness().reasons.join('; '),
        error => gates.ledger.close(String(error)),
        lease.signal
      )
      await reader.start(feed, signal)
      const deps: StreamDeps = {
        ...this.#ports,
        lane,
        feed,
        gates,
        membership: this.#membership,
        writes: new Slots(writesInFlight),
        reached: step => hit(`${failpointPrefix[lane]}.${step}`)
      }
      await streamLane(kind(deps, ledgerId), deps, { graceMs, maxWorks }, signal)
      lease.abort()
      await renewing
    } finally {
      lease.abort()
      ended.abort()
      await reader[Symbol.asyncDispose]()
      await this.#membership.end().catch((error: unknown) => warn(`leaving the ledger: ${String(error)}`))
    }
    warn(`${names.namespace}: stopped in order`)
  }

  #openFeed(gates: LaneGates): LaneFeed {
    const { deadLetters, warn } = this.#ports
    const { lingerMs, names, partitions } = this.#options
    const { admitInputs, admitTokens, lane, spec } = this.#plan
    return new LaneFeed(
      {
        ...this.#ports,
        lane,
        spec,
        gates,
        deadLetter: (letters, signal) => deadLetters.write(letters, signal),
        onMember: memberId => {
          this.#membership
            .noteMember(names.groups[lane], memberId)
            .catch((error: unknown) => warn(`noting the member id: ${String(error)}`))
        }
      },
      {
        maxCandidates: admitInputs,
        maxTokens: admitTokens,
        lingerMs,
        maxQueueBytes: Math.floor(queueBytes / partitions)
      }
    )
  }
}
