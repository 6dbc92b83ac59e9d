// GroupReader on KafkaJS. It owns one membership at a time, the reasons to
// hold (PauseAuthority), the positions, and what is committed (Committer). Its rules:
//
//   R1  every assigned partition is paused in the synchronous join listener, before the first fetch
//   R2  seek, then resume; a batch that was fetched elsewhere is dropped (position fence)
//   R3  nothing that a listener throws reaches KafkaJS
//   R4  a crash ends the membership; a new one is built after its ghost was evicted
import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '../../domain/failure.ts'
import type { GroupReader, GroupReaderEvents, HoldReason, LogBounds } from '../../ports/event-log.ts'
import type { Logger } from '../../runtime/log.ts'
import { boundsOf } from './bounds.ts'
import type { NewClient } from './client.ts'
import { Committer } from './committer.ts'
import { takeBatch } from './consume.ts'
import { withDeadline } from './deadline.ts'
import { evictMember } from './evict.ts'
import { examine } from './examine.ts'
import { Membership } from './membership.ts'
import type { MembershipEvents, MembershipOptions } from './membership.ts'
import { at } from './offsets.ts'
import type { Position } from './offsets.ts'
import { PauseAuthority } from './pause-authority.ts'
import type { Hold } from './pause-authority.ts'
import { supervise } from './supervise.ts'
import type { Life } from './supervise.ts'
import { abortable } from '../../runtime/abortable.ts'

const retryMs = 1_000
const callMs = 10_000
/** No answer for this long, and no crash either: KafkaJS hangs. */
const hungMs = 60_000
const watchMs = 5_000

export class KafkaGroupReader implements GroupReader {
  readonly #options: MembershipOptions
  readonly #log: Logger
  readonly #authority = new PauseAuthority()
  readonly #positions = new Map<number, Position>()
  readonly #committer: Committer
  readonly #stop = new AbortController()
  readonly #joined = Promise.withResolvers<undefined>()
  readonly #examined = new Set<Position>()
  #bounds: ReadonlyMap<number, LogBounds> = new Map()
  #events: GroupReaderEvents | undefined
  #membership: Membership | undefined
  #memberId: string | undefined
  #assignment: readonly number[] = []
  #answeredMs = Date.now()
  #living: Promise<void> = Promise.resolve()

  constructor(newClient: NewClient, group: string, topic: string, instance: string, log: Logger) {
    this.#options = { newClient, group, topic, instance }
    this.#log = log.child({ group })
    this.#committer = new Committer(group, topic, this.#log)
  }

  async start(events: GroupReaderEvents, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#events !== undefined) throw new Failure('USAGE', 'a reader is started once')
    this.#events = events
    this.#living = supervise(
      begun => this.#newLife(begun),
      reason => this.#call(() => events.lost(reason)),
      this.#log,
      this.#stop.signal
    )
    try {
      await abortable(this.#joined.promise, signal)
    } catch (error) {
      await this[Symbol.asyncDispose]()
      throw error
    }
  }

  assignment(): readonly number[] {
    return this.#assignment
  }

  readFrom(partition: number, position: bigint): void {
    if (!this.#assignment.includes(partition)) return
    this.#positions.set(partition, at(position))
    const start = this.#bounds.get(partition)?.start ?? 0n
    // Log starts only rise, so this is certain without asking; the rest is the fence's.
    if (position < start) this.#examine(partition)
    else this.#seek(partition, position)
  }

  hold(partition: number, reason: HoldReason): void {
    this.#authority.add(partition, reason)
  }

  lift(partition: number, reason: HoldReason): void {
    this.#authority.remove(partition, reason)
  }

  holds(partition: number): ReadonlySet<Hold> {
    return this.#authority.holds(partition)
  }

  commit(watermarks: ReadonlyMap<number, bigint>): Promise<ReadonlyMap<number, bigint>> {
    return this.#committer.commit(watermarks)
  }

  silentMs(): number {
    return Date.now() - this.#answeredMs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#living
    this.#detach()
  }

  #newLife(begun: () => void): Life {
    const over = Promise.withResolvers<string>()
    const stopped = (): void => over.resolve('disposed')
    const onAbort = this.#stop.signal
    onAbort.addEventListener('abort', stopped)
    const membership = new Membership(this.#options, this.#membershipEvents(begun, over.resolve))
    return {
      live: async () => {
        this.#answeredMs = Date.now()
        await Promise.race([this.#join(membership), over.promise])
        const watch = setInterval(() => this.#watch(membership, over.resolve), watchMs)
        try {
          return await over.promise
        } finally {
          clearInterval(watch)
        }
      },
      end: async () => {
        onAbort.removeEventListener('abort', stopped)
        this.#detach()
        await membership.end()
      }
    }
  }

  #membershipEvents(begun: () => void, over: (reason: string) => void): MembershipEvents {
    return {
      answered: () => {
        this.#answeredMs = Date.now()
      },
      joined: (membership, partitions, memberId) => {
        if (this.#stop.signal.aborted) return
        begun()
        this.#onJoin(membership, partitions, memberId)
      },
      skipped: (partition, next) => this.#onSkipped(partition, next),
      outOfRange: partition => {
        this.#log.error({ partition }, 'kafka: fetched outside the log')
        this.#examine(partition)
      },
      crashed: over
    }
  }

  async #join(membership: Membership): Promise<void> {
    await membership.consumer.connect()
    if (this.#memberId !== undefined) {
      await evictMember(membership.cluster, this.#options.group, this.#memberId)
      this.#memberId = undefined
    }
    const events = this.#events
    if (events === undefined) return
    await membership.run(payload =>
      takeBatch(payload, {
        authority: this.#authority,
        positions: this.#positions,
        events,
        astray: partition => this.#examine(partition),
        failed: (partition, error) => this.#offerLater(partition, error)
      })
    )
  }

  /** R1. Runs inside KafkaJS' join. */
  #onJoin(membership: Membership, partitions: readonly number[], memberId: string): void {
    this.#membership = membership
    this.#memberId = memberId
    this.#assignment = partitions
    this.#positions.clear()
    this.#call(() => this.#authority.assign(membership, partitions))
    this.#committer.joined(membership, partitions, memberId)
    this.#refreshBounds(membership)
    this.#log.info({ partitions, memberId }, 'kafka: joined')
    this.#call(() => this.#events?.assigned(partitions, memberId))
    this.#joined.resolve(undefined)
  }

  #onSkipped(partition: number, next: bigint): void {
    const position = this.#positions.get(partition)
    if (position === undefined || this.#authority.isHeld(partition) || next <= position.fetchAt) return
    this.#positions.set(partition, { told: position.told, fetchAt: next })
  }

  /** R2. */
  #seek(partition: number, position: bigint): void {
    try {
      this.#membership?.seek(partition, position)
    } catch {
      // The consumer is down: the next join asks for positions anew.
      return
    }
    this.#authority.remove(partition, 'unpositioned')
  }

  #examine(partition: number): void {
    this.#authority.add(partition, 'unpositioned')
    const position = this.#positions.get(partition)
    const membership = this.#membership
    if (position === undefined || membership === undefined || this.#examined.has(position)) return
    this.#examined.add(position)
    const done = examine({
      wanted: () => (this.#positions.get(partition) === position ? position : undefined),
      repair: () => this.#committer.repair(partition),
      bounds: () => this.#boundsOf(membership, partition),
      mend: ({ told }) => this.readFrom(partition, told),
      tell: ({ told }, { start, end }) => {
        this.#log.error(
          { partition, told: String(told), start: String(start), end: String(end) },
          'kafka: position outside the log'
        )
        this.#call(() => this.#events?.outside(partition, told, start, end))
      },
      pause: () => delay(retryMs, undefined, { signal: this.#stop.signal }).catch(() => undefined),
      failed: error => this.#log.warn({ err: error, partition }, 'kafka: position not examined; trying again')
    })
    void done.finally(() => this.#examined.delete(position))
  }

  /** R3: a batch that the listener choked on comes again after a pause, and its partition alone waits. */
  #offerLater(partition: number, error: unknown): void {
    this.#log.error({ err: error, partition }, 'kafka: the listener failed; its batch is offered again')
    const position = this.#positions.get(partition)
    this.#authority.add(partition, 'unpositioned')
    void delay(retryMs, undefined, { signal: this.#stop.signal })
      .then(() => {
        if (position !== undefined && this.#positions.get(partition) === position)
          this.readFrom(partition, position.told)
      })
      .catch(() => undefined)
  }

  #watch(membership: Membership, over: (reason: string) => void): void {
    if (this.silentMs() > hungMs) over(`no answer for ${hungMs} ms`)
    else if (this.#membership === membership) this.#refreshBounds(membership)
  }

  #refreshBounds(membership: Membership): void {
    boundsOf(membership.cluster, this.#options.topic, this.#assignment)
      .then(bounds => {
        this.#bounds = bounds
      })
      .catch((error: unknown) => this.#log.debug({ err: error }, 'kafka: bounds not read'))
  }

  async #boundsOf(membership: Membership, partition: number): Promise<LogBounds> {
    const asking = boundsOf(membership.cluster, this.#options.topic, [partition])
    const what = 'asking for the bounds of the log'
    const bounds = (await withDeadline(asking, { ms: callMs, what, code: 'LOG_UNAVAILABLE' })).get(partition)
    if (bounds === undefined) throw new Failure('LOG_UNAVAILABLE', `partition ${partition} is unknown`)
    this.#bounds = new Map([...this.#bounds, [partition, bounds]])
    return bounds
  }

  #detach(): void {
    this.#membership = undefined
    this.#assignment = []
    this.#positions.clear()
    this.#authority.unassign()
    this.#committer.left()
  }

  #call(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      this.#log.error({ err: error }, 'kafka: a listener failed')
    }
  }
}
