// One instance of the realtime lane, from its ports: starts when its dependencies answer, runs until it is told to
// stop, and says at any time whether it is ready and why not.
import type { Embedder } from '@pointsman/core/ports/embedder'
import type { GroupReader, LogAdmin } from '@pointsman/core/ports/event-log'
import { Gate } from '@pointsman/core/runtime/gate'
import { LaneFeed } from '@pointsman/core/runtime/lane-feed'
import { Membership } from '@pointsman/core/runtime/membership'
import type { Names } from '@pointsman/core/runtime/names'
import type { Readiness } from '@pointsman/core/runtime/health-server'
import { type EmbedDeps, embedStream } from './embed-stream.ts'
import { ProviderLimit } from './provider-limit.ts'
import { Slots } from './slots.ts'

/** The outside world of a lane. */
export interface LanePorts
  extends Pick<
    EmbedDeps,
    'ledger' | 'store' | 'codec' | 'ranges' | 'deadLetters' | 'clock' | 'hit' | 'warn'
  > {
  readonly embedder: Embedder
  readonly reader: GroupReader
  readonly admin: LogAdmin
}

export interface LaneOptions {
  readonly instance: string
  readonly names: Names
  /** Partitions of the documents topic when it has to be made. */
  readonly partitions: number
  readonly requestInputs: number
  readonly requestTokens: number
  readonly lingerMs: number
  readonly maxInFlight: number
  readonly maxAttempts: number
  readonly doubtDelayMs: number
  readonly leaseMs: number
  readonly graceMs: number
}

/** What waits undecoded for admission, over all partitions. */
const queueBytes = 4 * 1024 * 1024
/** Obligations that may wait for the index while the provider serves others. */
const worksAhead = 4
/** Calls to the index in flight. */
const writesInFlight = 3
/** A reader that heard nothing for so long is not healthy. */
const silenceMs = 30_000

export class RealtimeLane {
  readonly #ports: LanePorts
  readonly #options: LaneOptions
  readonly #limit: ProviderLimit
  readonly #membership: Membership
  #gates: readonly Gate[] = []
  #feed: LaneFeed | undefined

  constructor(ports: LanePorts, options: LaneOptions) {
    const { clock, ledger } = ports
    const { instance, leaseMs, maxInFlight } = options
    this.#ports = ports
    this.#options = options
    this.#limit = new ProviderLimit({ clock, maxInFlight })
    this.#membership = new Membership(ledger, clock, { instance, service: 'embedder-realtime', leaseMs })
  }

  /** Requests in flight and how many may be. */
  get limit(): ProviderLimit {
    return this.#limit
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
    const { admin, clock, codec, embedder, ledger, reader, store, warn } = this.#ports
    const { doubtDelayMs, maxAttempts, names, partitions } = this.#options
    // Gates outlive the signal: work in flight still passes them in the grace period.
    const ended = new AbortController()
    const gate = (name: string, check: (signal: AbortSignal) => Promise<unknown>): Gate =>
      new Gate(name, check, { clock, warn, signal: ended.signal })
    const gates = {
      log: gate('log', () => admin.bounds()),
      registry: gate('registry', abort => codec.prepare(abort)),
      ledger: gate('ledger', () => ledger.state()),
      store: gate('store', abort => store.check(abort)),
      provider: gate('provider', abort => embedder.check(abort))
    }
    this.#gates = Object.values(gates)
    const lease = new AbortController()

    try {
      await gates.log.run(() => admin.prepare(partitions, signal), signal, 'throw')
      await gates.registry.run(() => codec.prepare(signal), signal, 'throw')
      await gates.ledger.run(() => ledger.open('realtime'), signal, 'throw')
      await gates.store.run(() => store.prepare(signal), signal, 'throw')
      const ghosts = await gates.ledger.run(() => this.#membership.begin(), signal)
      for (const [group, memberId] of ghosts) await gates.log.run(() => admin.evict(group, memberId), signal)

      const feed = this.#openFeed(gates, warn)
      this.#feed = feed
      const renewing = this.#membership.keep(error => gates.ledger.close(String(error)), lease.signal)
      await reader.start(feed, signal)
      const { limit } = this
      const membership = this.#membership
      const writes = new Slots(writesInFlight)
      const deps = { ...this.#ports, feed, gates, limit, membership, writes, maxAttempts, doubtDelayMs }
      const { graceMs, maxInFlight } = this.#options
      await embedStream(deps, { maxWorks: maxInFlight + worksAhead, graceMs }, signal)
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

  #openFeed(
    gates: { readonly ledger: Gate; readonly registry: Gate; readonly log: Gate },
    warn: (message: string) => void
  ): LaneFeed {
    const { admin, clock, codec, deadLetters, embedder, ledger, reader } = this.#ports
    const { lingerMs, names, partitions, requestInputs, requestTokens } = this.#options
    return new LaneFeed(
      {
        lane: 'realtime',
        spec: { model: embedder.model, dimensions: embedder.dimensions },
        reader,
        ledger,
        codec,
        admin,
        clock,
        gates,
        warn,
        deadLetter: (letters, signal) => deadLetters.write(letters, signal),
        onMember: memberId => {
          this.#membership
            .noteMember(names.groups.realtime, memberId)
            .catch((error: unknown) => warn(`noting the member id: ${String(error)}`))
        }
      },
      {
        maxCandidates: requestInputs,
        maxTokens: requestTokens,
        lingerMs,
        maxQueueBytes: Math.floor(queueBytes / partitions)
      }
    )
  }
}
