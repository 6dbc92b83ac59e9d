// The stream of one instance, whatever its lane: admits what the feed offers, finishes every request it owns, adopts what
// others left behind, commits W, and runs the loops of its kind. Stopping is in two steps: `signal` ends admission; what
// is in flight is then finished for at most `graceMs`, and the rest stays in the ledger for the next owner. When the
// ledger is lost, both steps are one: what is in flight belongs to nobody any more.
import type { ObligationId } from '../domain/identity.ts'
import type { GroupReader } from '../ports/event-log.ts'
import type { AdmitReply } from '../ports/ledger.ts'
import { abortable } from '../runtime/abortable.ts'
import type { HitFailpoint } from '../runtime/failpoint.ts'
import { backOffMs } from '../runtime/back-off.ts'
import { messageOf } from '../runtime/message-of.ts'
import { type AdoptDeps, adoptWork } from './adopt-work.ts'
import { beyondWatermarks } from './beyond-watermarks.ts'
import { finishWork } from './finish-work.ts'
import type { LaneFeed, Offer } from './lane-feed.ts'
import type { LaneGates } from './lane-gates.ts'
import type { LaneKind } from './lane-kind.ts'
import { Slots } from './slots.ts'
import type { Item, Work } from './work.ts'

export interface StreamDeps extends AdoptDeps {
  readonly gates: LaneGates
  readonly feed: LaneFeed
  readonly reader: GroupReader
  /** For the failpoints that only one lane has. */
  readonly hit: HitFailpoint
  /** Aborts when the ledger is lost. */
  readonly lost: AbortSignal
  /** Aborted when the grace period is over: nothing of this stream may go on then. */
  readonly abandon: AbortController
  /** Ends this life: the ledger cannot be right. */
  readonly rolledBack: (because: string) => void
  /** W was committed. */
  readonly committed: () => void
}

export interface StreamOptions {
  /** Requests in work at once, those waiting for their vectors and for the index together. */
  readonly maxWorks: number
  readonly graceMs: number
}

const commitMs = 500
/** While nothing is admitted before W is committed. */
const firstCommitMs = 50
const adoptMs = 1_000
const rest = { firstMs: 1_000, longestMs: 30_000 }

/** Resolves after an orderly stop. */
export async function streamLane(
  kind: LaneKind,
  deps: StreamDeps,
  options: StreamOptions,
  signal: AbortSignal
): Promise<void> {
  await new LaneStream(kind, deps, options).run(signal)
}

class LaneStream {
  readonly #kind: LaneKind
  readonly #deps: StreamDeps
  readonly #options: StreamOptions
  readonly #slots: Slots
  readonly #works = new Set<Promise<void>>()
  /**
   * Requests that are in work here, or about to be. One of ours looks as if it were left behind when our lease ran out
   * while this process was stopped: it would be worked at, and paid for, twice.
   */
  readonly #held = new Set<ObligationId>()
  /** Aborts work in flight: the grace period is over, or the ledger is lost. */
  readonly #left: AbortSignal
  readonly #firstCommit = Promise.withResolvers<void>()

  constructor(kind: LaneKind, deps: StreamDeps, options: StreamOptions) {
    this.#kind = kind
    this.#deps = deps
    this.#options = options
    this.#slots = new Slots(options.maxWorks)
    this.#left = AbortSignal.any([deps.abandon.signal, deps.lost])
  }

  async run(signal: AbortSignal): Promise<void> {
    const { abandon, clock, feed, lost, warn } = this.#deps
    const loops = Promise.all([
      this.#forever('following the ledger', () => feed.follow(signal), signal),
      this.#forever('admission', () => this.#admit(signal), signal),
      this.#forever('adoption', () => this.#adopt(signal), signal),
      this.#forever('commits', () => this.#commitLoop(signal), signal),
      ...this.#kind.loops.map(loop => this.#forever(loop.name, () => loop.run(signal, this.#left), signal))
    ])
    await abortable(loops, signal).catch(() => undefined)

    const allDone = loops.then(() => Promise.allSettled(this.#works))
    // After a loss nothing but writes to the index goes on in it.
    const grace = clock.sleep(this.#options.graceMs, abandon.signal).then(() => 'over' as const)
    const ended = await Promise.race([allDone.then(() => 'done' as const), grace])
    if (ended === 'over') warn(`${this.#works.size} obligations are left to the next owner`)
    abandon.abort(new Error('the grace period is over'))
    await Promise.allSettled([allDone, grace])
    if (!lost.aborted) await this.#commit()
  }

  /** A loop ends with its signal; anything else is a defect that must be seen and must not stop the lane. */
  async #forever(what: string, loop: () => Promise<void>, signal: AbortSignal): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        await loop()
      } catch (error) {
        if (!signal.aborted) this.#deps.warn(`${what} failed, beginning again: ${messageOf(error)}`)
      }
      if (signal.aborted) return
      await this.#rest(tries, signal)
    }
  }

  async #admit(signal: AbortSignal): Promise<void> {
    const { feed, gates, lane, ledger, membership, reached } = this.#deps
    for (;;) {
      await this.#slots.take(signal)
      let begun = false
      let obligation: ObligationId | undefined
      try {
        await this.#passGates(signal)
        const offer = await feed.offer(signal)
        await abortable(this.#firstCommit.promise, signal)
        reached('fetch')
        const { manifest } = await this.#kind.ready(offer, signal)
        const { owner } = membership
        obligation = membership.newObligation()
        const epoch = feed.state?.epoch ?? 0
        const given = { epoch, lane, owner, obligation, slices: offer.slices }
        const admission = manifest === undefined ? given : { ...given, manifest }
        this.#held.add(obligation)
        const reply = await gates.ledger.run(() => ledger.admit(admission), signal)
        reached('claim')
        if (reply.kind === 'closed' && manifest !== undefined) this.#kind.closed?.(manifest)
        const items = await this.#take(offer, reply, signal)
        if (items.length > 0) {
          begun = true
          this.#begin({ obligation, owner, attempts: 0, items, lookUp: 'nothing' })
        }
      } finally {
        if (!begun) {
          if (obligation !== undefined) this.#held.delete(obligation)
          this.#slots.give()
        }
      }
    }
  }

  /** @returns the parts that are to be finished now; none when the ledger refused. */
  async #take(offer: Offer, reply: AdmitReply, signal: AbortSignal): Promise<readonly Item[]> {
    const { clock, feed, membership } = this.#deps
    switch (reply.kind) {
      case 'admitted':
        feed.admitted(offer)
        return this.#kind.admitted(itemsOf(offer, reply))
      case 'behind':
        feed.behind(reply.frontiers)
        return []
      case 'unregistered':
        await membership.begin()
        return []
      case 'closed':
        return []
      case 'fenced':
      case 'draining':
      case 'paused':
        await feed.refresh()
        // The state that refuses may be newer than the one just read: do not spin on it.
        await clock.sleep(50, signal)
        return []
    }
  }

  #begin(work: Work): void {
    this.#held.add(work.obligation)
    const done = this.#finish(work).finally(() => {
      this.#held.delete(work.obligation)
      this.#works.delete(done)
      this.#slots.give()
    })
    this.#works.add(done)
  }

  /** Finishes the work, again and again if need be: nobody else may while we live. */
  async #finish(work: Work): Promise<void> {
    const signal = this.#left
    for (let tries = 0; ; tries += 1) {
      try {
        const current = tries === 0 ? work : await this.#reload(work.obligation)
        if (current !== undefined) await finishWork(current, this.#kind.sourceOf(current), this.#deps, signal)
        return
      } catch (error) {
        if (signal.aborted) return
        this.#deps.warn(`obligation ${work.obligation} failed, beginning again: ${messageOf(error)}`)
      }
      await this.#rest(tries, signal)
    }
  }

  async #reload(obligation: ObligationId): Promise<Work | undefined> {
    return adoptWork(obligation, this.#deps, this.#deps.feed.state?.epoch ?? 0, this.#left)
  }

  async #adopt(signal: AbortSignal): Promise<void> {
    const { clock, gates, ledger } = this.#deps
    for (;;) {
      await this.#passGates(signal)
      const left = await gates.ledger.run(
        () => ledger.adoptable(['request', 'orphan'], this.#options.maxWorks),
        signal
      )
      for (const obligation of left) {
        await this.#slots.take(signal)
        if (this.#held.has(obligation)) {
          this.#slots.give()
          continue
        }
        const work = await this.#reload(obligation).catch((error: unknown) => {
          this.#slots.give()
          throw error
        })
        if (work === undefined) this.#slots.give()
        else this.#begin(work)
      }
      await clock.sleep(adoptMs, signal)
    }
  }

  async #passGates(signal: AbortSignal): Promise<void> {
    const { gates } = this.#deps
    for (const gate of [gates.ledger, gates.store, gates.provider]) await gate.pass(signal)
  }

  /**
   * W is committed before anything is admitted, and so before anything can be paid for in this ledger: whoever finds the
   * ledger gone learns from the log that there was one. What is left of that window: a process that looked at the log
   * before this commit was acknowledged, and makes a new ledger after this one was lost, all in the moment between. It
   * admits again what this one had admitted by then; where this one has committed more, that is found (`#compare`).
   */
  async #commitLoop(signal: AbortSignal): Promise<void> {
    const { clock, committed, feed, reader } = this.#deps
    for (let waitMs = firstCommitMs; ; waitMs = Math.min(2 * waitMs, commitMs)) {
      await clock.sleep(waitMs, signal)
      if (feed.state === undefined) continue
      const standing = await this.#commit()
      const assigned = reader.assignment()
      if (assigned.length > 0 && assigned.every(partition => standing.has(partition))) break
    }
    committed()
    this.#firstCommit.resolve()
    for (;;) {
      await clock.sleep(commitMs, signal)
      await this.#commit(() => this.#deps.reached('commit'))
    }
  }

  /** W of every partition: what is not acknowledged is committed the next time. @returns what stands committed. */
  async #commit(onRead: () => void = () => undefined): Promise<ReadonlyMap<number, bigint>> {
    const { ledger, lost, reader, warn } = this.#deps
    try {
      const watermarks = await ledger.watermarks()
      onRead()
      const standing = await reader.commit(watermarks)
      await this.#compare(watermarks, standing)
      return standing
    } catch (error) {
      if (!lost.aborted) warn(`commit: ${messageOf(error)}`)
      return new Map()
    }
  }

  /**
   * Somebody may have committed a later W than the one that this commit was made with, so W is asked for again: if even
   * that is below what stands, the ledger has forgotten.
   */
  async #compare(
    watermarks: ReadonlyMap<number, bigint>,
    standing: ReadonlyMap<number, bigint>
  ): Promise<void> {
    const { lane, ledger, rolledBack } = this.#deps
    const beyond = [...standing].filter(
      ([partition, offset]) => offset > (watermarks.get(partition) ?? offset)
    )
    if (beyond.length === 0) return
    const later = await ledger.watermarks()
    const group = `the group of the ${lane} lane`
    const because = beyondWatermarks(
      beyond.map(([partition, offset]) => ({ group, partition, offset })),
      partition => later.get(partition)
    )
    if (because !== undefined) rolledBack(because)
  }

  async #rest(tries: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps
    await clock.sleep(backOffMs(tries, rest, clock.random()), signal).catch(() => undefined)
  }
}

function itemsOf(offer: Offer, reply: Extract<AdmitReply, { kind: 'admitted' }>): readonly Item[] {
  return offer.slices.flatMap((slice, s) =>
    slice.candidates.flatMap((candidate, c) => {
      const verdict = reply.verdicts[s]?.[c]
      const logged = offer.documents.get(candidate)
      if (verdict?.kind !== 'part' || logged === undefined) return []
      const { action, generation, replaces } = verdict
      const { content, docKey, offset, tokens } = candidate
      const place = { partition: slice.partition, offset }
      return [
        { part: { ...place, docKey, content, generation, action, replaces, tokens, failures: 0 }, logged }
      ]
    })
  )
}
