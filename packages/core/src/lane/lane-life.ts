// One life of an instance in one ledger: registers, joins its group, streams, until it is told to stop or the ledger is
// lost. Then what is in flight is dropped, since nothing it could say would be heard; only a write to the index that is
// running may finish.
import type { GroupReader } from '../ports/event-log.ts'
import { Gate } from '../runtime/gate.ts'
import { messageOf } from '../runtime/message-of.ts'
import { LaneFeed } from './lane-feed.ts'
import type { LaneGates, OuterGates } from './lane-gates.ts'
import type { LaneOptions } from './lane-options.ts'
import type { LanePlan, LanePorts } from './lane-ports.ts'
import { type StreamDeps, streamLane } from './lane-stream.ts'
import type { LedgerLife } from './ledger-life.ts'
import { Membership } from './membership.ts'
import { Slots } from './slots.ts'

/** What waits undecoded for admission, over all partitions. */
const queueBytes = 4 * 1024 * 1024
/** Calls to the index in flight. */
const writesInFlight = 3
/** A reader that heard nothing for so long is not healthy. */
const silenceMs = 30_000
const failpointPrefix = { realtime: 'rt', batch: 'ba' } as const

export interface LaneLifeOptions {
  readonly plan: LanePlan
  readonly ports: LanePorts
  readonly options: LaneOptions
  readonly gates: OuterGates
  readonly ledgerLife: LedgerLife
  /** W was committed: from now on Kafka can tell that there was a ledger. */
  readonly committed: () => void
  /** Why the instance could not work now; empty when it could. Others see it in the ledger. */
  readonly trouble: () => string
}

export class LaneLife {
  readonly #parts: LaneLifeOptions
  readonly #gates: LaneGates
  readonly #membership: Membership
  readonly #ended = new AbortController()
  #feed: LaneFeed | undefined
  #reader: GroupReader | undefined

  constructor(parts: LaneLifeOptions) {
    const { gates, ledgerLife, options, plan, ports } = parts
    const { clock, warn } = ports
    const { instance, leaseMs } = options
    const { ledger } = ledgerLife
    this.#parts = parts
    const gateOptions = { clock, warn, signal: this.#ended.signal }
    this.#gates = { ...gates, ledger: new Gate('ledger', () => ledger.state(), gateOptions) }
    const service = `embedder-${plan.lane}`
    this.#membership = new Membership(ledger, clock, { instance, service, leaseMs })
  }

  /** Why it could not work now. */
  get troubles(): readonly string[] {
    const { over } = this.#parts.ledgerLife
    if (over.aborted) return [`the ledger was lost: ${messageOf(over.reason)}`]
    const { closure } = this.#gates.ledger
    const reasons = closure === undefined ? [] : [`ledger: ${closure.reason}`]
    if (this.#feed?.state === undefined) reasons.push('starting: the ledger was not read yet')
    else if ((this.#reader?.silentMs() ?? 0) > silenceMs) reasons.push('no heartbeat was answered for 30 s')
    for (const [partition, trouble] of this.#feed?.troubles ?? [])
      reasons.push(`partition ${partition}: ${trouble}`)
    return reasons
  }

  /** Has it joined its group and begun to work? */
  get hasBegun(): boolean {
    return this.#feed?.state !== undefined
  }

  /** Resolves after `stop`, or when the ledger was lost. */
  async run(stop: AbortSignal): Promise<void> {
    const { ledgerLife, ports } = this.#parts
    const { over } = ledgerLife
    const lease = new AbortController()
    try {
      await this.#run(AbortSignal.any([stop, over]), lease)
    } catch (error) {
      if (!over.aborted) throw error
    } finally {
      lease.abort()
      this.#ended.abort()
      await this.#reader?.[Symbol.asyncDispose]()
      if (!over.aborted) {
        await this.#membership
          .end()
          .catch((error: unknown) => ports.warn(`leaving the ledger: ${String(error)}`))
      }
    }
  }

  async #run(signal: AbortSignal, lease: AbortController): Promise<void> {
    const { committed, ledgerLife, options, plan, ports, trouble } = this.#parts
    const { admin, hit, openReader } = ports
    const { kind, lane, maxWorks } = plan
    const { ledger, ledgerId, over } = ledgerLife
    const gates = this.#gates
    const ghosts = await gates.ledger.run(() => this.#membership.begin(), signal)
    for (const [group, memberId] of ghosts) await gates.log.run(() => admin.evict(group, memberId), signal)

    const reader = openReader()
    this.#reader = reader
    const feed = this.#openFeed(reader)
    this.#feed = feed
    const onFailure = (error: unknown): void => {
      if (!over.aborted) gates.ledger.close(messageOf(error))
    }
    const renewing = this.#membership.keep(trouble, onFailure, lease.signal)
    await reader.start(feed, signal)
    const abandon = new AbortController()
    const deps: StreamDeps = {
      ...ports,
      lane,
      feed,
      gates,
      ledger,
      reader,
      committed,
      abandon,
      lost: over,
      rolledBack: because => ledgerLife.distrust(because),
      writing: abandon.signal,
      membership: this.#membership,
      writes: new Slots(writesInFlight),
      reached: step => hit(`${failpointPrefix[lane]}.${step}`)
    }
    await streamLane(kind(deps, ledgerId), deps, { graceMs: options.graceMs, maxWorks }, signal)
    lease.abort()
    await renewing
  }

  #openFeed(reader: GroupReader): LaneFeed {
    const { ledgerLife, options, plan, ports } = this.#parts
    const { deadLetters, warn } = ports
    const { lingerMs, names, partitions } = options
    const { admitInputs, admitTokens, lane, spec } = plan
    return new LaneFeed(
      {
        ...ports,
        lane,
        spec,
        reader,
        ledger: ledgerLife.ledger,
        gates: this.#gates,
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
