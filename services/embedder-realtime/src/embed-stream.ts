// The realtime lane: admits what the feed offers, finishes every obligation it owns, adopts what others left behind,
// and commits W. Stopping is in two steps: `signal` ends admission; what is in flight is then finished for at most
// `graceMs`, and the rest stays in the ledger for the next owner.
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { GroupReader } from '@pointsman/core/ports/event-log'
import type { AdmitReply } from '@pointsman/core/ports/ledger'
import type { LaneFeed, Offer } from '@pointsman/core/runtime/lane-feed'
import type { Membership } from '@pointsman/core/runtime/membership'
import { adoptWork } from './adopt-work.ts'
import { type FinishDeps, finishWork } from './finish-work.ts'
import { Slots } from './slots.ts'
import type { Item, Work } from './work.ts'
import { messageOf } from '@pointsman/core/runtime/message-of'

export interface EmbedDeps extends FinishDeps {
  readonly feed: LaneFeed
  readonly reader: GroupReader
  readonly membership: Membership
}

export interface EmbedOptions {
  /** Obligations in work at once, those waiting for the provider and for the index together. */
  readonly maxWorks: number
  readonly graceMs: number
}

const commitMs = 500
const adoptMs = 1_000
const longestRestMs = 30_000

/** Resolves after an orderly stop. */
export async function embedStream(
  deps: EmbedDeps,
  options: EmbedOptions,
  signal: AbortSignal
): Promise<void> {
  await new EmbedStream(deps, options).run(signal)
}

class EmbedStream {
  readonly #deps: EmbedDeps
  readonly #options: EmbedOptions
  readonly #slots: Slots
  readonly #works = new Set<Promise<void>>()
  /** Aborts work in flight when the grace period is over. */
  readonly #abandon = new AbortController()

  constructor(deps: EmbedDeps, options: EmbedOptions) {
    this.#deps = deps
    this.#options = options
    this.#slots = new Slots(options.maxWorks)
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, feed, warn } = this.#deps
    const loops = [
      this.#forever('following the ledger', () => feed.follow(signal), signal),
      this.#forever('admission', () => this.#admit(signal), signal),
      this.#forever('adoption', () => this.#adopt(signal), signal),
      this.#forever('commits', () => this.#commitLoop(signal), signal)
    ]
    await Promise.all(loops)

    const allDone = Promise.allSettled(this.#works)
    const grace = clock.sleep(this.#options.graceMs, this.#abandon.signal).then(() => 'over' as const)
    const ended = await Promise.race([allDone.then(() => 'done' as const), grace])
    if (ended === 'over') warn(`${this.#works.size} obligations are left to the next owner`)
    this.#abandon.abort(new Error('the grace period is over'))
    await Promise.allSettled([allDone, grace])
    await this.#commit()
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
    const { feed, gates, hit, ledger, membership } = this.#deps
    for (;;) {
      await this.#slots.take(signal)
      let begun = false
      try {
        for (const gate of [gates.ledger, gates.store, gates.provider]) await gate.pass(signal)
        const offer = await feed.offer(signal)
        hit('rt.fetch')
        const { owner } = membership
        const obligation = membership.newObligation()
        const epoch = feed.state?.epoch ?? 0
        const admission = { epoch, lane: 'realtime', owner, obligation, slices: offer.slices } as const
        const reply = await gates.ledger.run(() => ledger.admit(admission), signal)
        hit('rt.claim')
        const items = await this.#take(offer, reply, signal)
        if (items.length > 0) {
          begun = true
          this.#begin({ obligation, owner, attempts: 0, items, adopted: false })
        }
      } finally {
        if (!begun) this.#slots.give()
      }
    }
  }

  /** @returns the parts that are ours to finish; none when the ledger refused. */
  async #take(offer: Offer, reply: AdmitReply, signal: AbortSignal): Promise<readonly Item[]> {
    const { clock, feed, membership } = this.#deps
    switch (reply.kind) {
      case 'admitted':
        feed.admitted(offer)
        return itemsOf(offer, reply)
      case 'behind':
        feed.behind(reply.frontiers)
        return []
      case 'unregistered':
        await membership.begin()
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
    const done = this.#finish(work).finally(() => {
      this.#works.delete(done)
      this.#slots.give()
    })
    this.#works.add(done)
  }

  /** Finishes the work, again and again if need be: nobody else may while we live. */
  async #finish(work: Work): Promise<void> {
    const { signal } = this.#abandon
    for (let tries = 0; ; tries += 1) {
      try {
        const current = tries === 0 ? work : await this.#reload(work.obligation)
        if (current !== undefined) await finishWork(current, this.#deps, signal)
        return
      } catch (error) {
        if (signal.aborted) return
        this.#deps.warn(`obligation ${work.obligation} failed, beginning again: ${messageOf(error)}`)
      }
      await this.#rest(tries, signal)
    }
  }

  async #reload(obligation: ObligationId): Promise<Work | undefined> {
    return adoptWork(obligation, this.#deps, this.#deps.feed.state?.epoch ?? 0, this.#abandon.signal)
  }

  async #adopt(signal: AbortSignal): Promise<void> {
    const { clock, gates, ledger } = this.#deps
    for (;;) {
      for (const gate of [gates.ledger, gates.store, gates.provider]) await gate.pass(signal)
      for (const obligation of await gates.ledger.run(
        () => ledger.adoptable(this.#options.maxWorks),
        signal
      )) {
        await this.#slots.take(signal)
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

  async #commitLoop(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#deps.clock.sleep(commitMs, signal)
      await this.#commit()
    }
  }

  /** W of every partition: what is not acknowledged is committed the next time. */
  async #commit(): Promise<void> {
    const { hit, ledger, reader, warn } = this.#deps
    try {
      const watermarks = await ledger.watermarks()
      hit('rt.commit')
      await reader.commit(watermarks)
    } catch (error) {
      warn(`commit: ${messageOf(error)}`)
    }
  }

  async #rest(tries: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps
    const restMs = Math.min(1_000 * 2 ** tries, longestRestMs) * (0.75 + clock.random() / 2)
    await clock.sleep(restMs, signal).catch(() => undefined)
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
      return [
        {
          part: { partition: slice.partition, offset, docKey, content, generation, action, tokens },
          logged,
          replaces
        }
      ]
    })
  )
}
