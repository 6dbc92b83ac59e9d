// Carries one obligation to its end: obtain vectors, write objects, remove what they replace, settle. In this order:
// nothing is settled before the index (or the dead-letter topic) acknowledged it (I4).
import type { Digest } from '../domain/identity.ts'
import type { VectorBytes } from '../ports/embedder.ts'
import type { Part, SettleOutcome, Settlement } from '../ports/ledger.ts'
import type { Removal, VectorStore } from '../ports/vector-store.ts'
import type { Gate } from '../runtime/gate.ts'
import { type GiveUpDeps, giveUpParts } from './give-up-parts.ts'
import { loadItems } from './load-items.ts'
import type { Slots } from './slots.ts'
import { Disowned, type VectorSource } from './vector-source.ts'
import { byContent, type ContentItem, type Item, type LookUp, withContent, type Work } from './work.ts'
import { writeObjects } from './write-objects.ts'

export interface FinishDeps extends GiveUpDeps {
  readonly store: VectorStore
  /** Calls to the index that may be in flight, over all obligations. */
  readonly writes: Slots
  readonly gates: GiveUpDeps['gates'] & { readonly store: Gate }
  /** Ends a write that is running. Later than the work: what is written need not be paid for again. */
  readonly writing: AbortSignal
  readonly warn: (message: string) => void
}

/**
 * Resolves when these items are finished, moved elsewhere by their source, or when the obligation is somebody else's by
 * now. Releases the source.
 * @throws the signal's reason when it aborts; the ledger then still holds what is left.
 */
export async function finishWork(
  work: Work,
  source: VectorSource,
  deps: FinishDeps,
  signal: AbortSignal
): Promise<void> {
  const run = new WorkRun(work, source, deps, signal)
  try {
    await run.finish()
  } catch (error) {
    if (!(error instanceof Disowned)) throw error
    deps.warn(error.message)
  } finally {
    source.release()
  }
}

class WorkRun {
  readonly #work: Work
  readonly #source: VectorSource
  readonly #deps: FinishDeps
  readonly #signal: AbortSignal
  readonly #vectors = new Map<Digest, VectorBytes>()
  readonly #dead = new Map<Digest, string>()
  #attempts: number
  #paidTokens = 0

  constructor(work: Work, source: VectorSource, deps: FinishDeps, signal: AbortSignal) {
    this.#work = work
    this.#source = source
    this.#deps = deps
    this.#signal = signal
    this.#attempts = work.attempts
  }

  async finish(): Promise<void> {
    const { items, lookUp } = this.#work
    let round = await this.#carryOut(items, lookUp)
    // A round that finished nothing was told of parts that its source gave away: going on would never end. And whoever
    // works through an obligation by the page comes by those that joined: done here too, they would be done twice.
    while (lookUp !== 'latest' && round.more.length > 0 && round.finished > 0) {
      // Whoever joined meanwhile is served with the vector that is here.
      const loaded = await loadItems(round.more, this.#deps, this.#signal)
      for (const { part, reason } of loaded.missing) await this.#giveUp([part], reason)
      const { finished, more } = await this.#carryOut(loaded.items, 'everything')
      round = { more, finished: finished + loaded.missing.length }
    }
  }

  /** @returns how many items are done with, and parts that joined this obligation meanwhile. */
  async #carryOut(
    items: readonly Item[],
    lookUp: LookUp
  ): Promise<{ readonly finished: number; readonly more: readonly Part[] }> {
    const { gates, store, writes, writing } = this.#deps
    const contents = items.flatMap(item => withContent(item) ?? [])
    const deletes = items.filter(item => item.part.content === undefined)

    const { current, present, stale } =
      lookUp === 'nothing' ? outrunWithin(items, contents) : await this.#sort(contents, lookUp)
    await this.#obtain(current, lookUp)
    const writable = current.filter(({ content }) => this.#vectors.has(content))
    const { rejected, stored } = await writeObjects(
      writable,
      this.#vectors,
      { store, gate: gates.store, writes, writing },
      this.#signal
    )
    this.#deps.reached('upsert')

    const indexed = [...stored, ...present]
    await this.#removeReplaced(indexed, deletes)
    await this.#removeOwn(stale)
    for (const [item, reason] of rejected) await this.#giveUp([item.part], reason)
    const doomed = Map.groupBy(current, ({ content }) => this.#dead.get(content))
    for (const [reason, group] of doomed) {
      if (reason === undefined) continue
      await this.#giveUp(
        group.map(({ part }) => part),
        reason
      )
    }
    const outcomes = [
      ...settlements(indexed, 'indexed'),
      ...settlements(deletes, 'deleted'),
      ...settlements(stale, 'skipped')
    ]
    const more = await this.#settle(outcomes)
    const given = current.filter(({ content }) => this.#dead.has(content)).length
    return { finished: outcomes.length + rejected.size + given, more }
  }

  /** What is superseded or stands in the index already is not paid for. */
  async #sort(items: readonly ContentItem[], lookUp: LookUp): Promise<Sorted> {
    if (items.length === 0) return { current: [], present: [], stale: [] }
    const { gates, ledger, store } = this.#deps
    const flags = await gates.ledger.run(() => ledger.superseded(items.map(({ part }) => part)), this.#signal)
    const stale = items.filter((_, index) => flags[index] === true)
    const live = items.filter((_, index) => flags[index] !== true)
    if (lookUp === 'latest') return { stale, present: [], current: live }
    const found = await gates.store.run(() => store.existing(idsOf(live), this.#signal), this.#signal)
    const isPresent = ({ id }: ContentItem): boolean => found.has(id)
    return { stale, present: live.filter(isPresent), current: live.filter(item => !isPresent(item)) }
  }

  async #obtain(items: readonly ContentItem[], lookUp: LookUp): Promise<void> {
    const { gates, store } = this.#deps
    const groups = byContent(
      items.filter(({ content }) => !this.#vectors.has(content) && !this.#dead.has(content))
    )
    const copyable = [...groups].flatMap(([content, group]) => (mayStand(group, lookUp) ? content : []))
    if (copyable.length > 0) {
      const found = await gates.store.run(() => store.vectors(copyable, this.#signal), this.#signal)
      for (const [content, vector] of found) this.#vectors.set(content, vector)
    }

    const wanted = new Map([...groups].filter(([content]) => !this.#vectors.has(content)))
    if (wanted.size === 0) return
    const obtained = await this.#source.obtain(wanted, this.#signal)
    this.#attempts = obtained.attempts
    this.#paidTokens += obtained.paidTokens
    for (const [content, vector] of obtained.vectors) this.#vectors.set(content, vector)
    for (const [content, reason] of obtained.dead) this.#dead.set(content, reason)
  }

  async #removeReplaced(indexed: readonly ContentItem[], deletes: readonly Item[]): Promise<void> {
    const removals: Removal[] = [
      ...indexed
        .filter(({ part }) => part.replaces)
        .map(({ id, logged, part }) => ({
          docId: logged.document.docId,
          maxGeneration: part.generation,
          keep: id
        })),
      ...deletes.map(({ logged, part }) => ({ docId: logged.document.docId, maxGeneration: part.generation }))
    ]
    const { gates, store } = this.#deps
    if (removals.length > 0) {
      await gates.store.run(() => store.removeGenerations(removals, this.#signal), this.#signal)
    }
  }

  /** Removes objects of superseded parts. */
  async #removeOwn(items: readonly ContentItem[]): Promise<void> {
    const { gates, store } = this.#deps
    const ids = idsOf(items)
    if (ids.length > 0) await gates.store.run(() => store.remove(ids, this.#signal), this.#signal)
  }

  async #giveUp(parts: readonly Part[], reason: string): Promise<void> {
    const { obligation, owner } = this.#work
    await giveUpParts(
      { obligation, owner, attempts: this.#attempts, parts, reason },
      this.#deps,
      this.#signal
    )
  }

  async #settle(outcomes: readonly ItemSettlement[]): Promise<readonly Part[]> {
    const { gates, ledger } = this.#deps
    const { obligation, owner } = this.#work
    const paidTokens = this.#paidTokens
    this.#paidTokens = 0
    const reply = await gates.ledger.run(
      () => ledger.settle(obligation, owner, outcomes, paidTokens),
      this.#signal
    )
    this.#deps.reached('mark')

    // A newer content came while we wrote: our own object goes.
    const undone = outcomes.flatMap((outcome, index) => {
      const answer = reply.answers[index]
      const isNewer = answer?.kind === 'superseded' || (answer?.kind === 'gone' && answer.newer)
      return isNewer && outcome.item ? (withContent(outcome.item) ?? []) : []
    })
    await this.#removeOwn(undone)
    const superseded = outcomes.filter((_, index) => reply.answers[index]?.kind === 'superseded')
    if (superseded.length === 0) return reply.more
    return this.#settle(superseded.map(outcome => ({ ...outcome, settlement: 'skipped' })))
  }
}

/** To be done; in the index already; superseded. */
type Sorted = Readonly<Record<'current' | 'present' | 'stale', readonly ContentItem[]>>

/** Fresh work was compared at its admission: only a newer content admitted with it can supersede it. */
function outrunWithin(items: readonly Item[], contents: readonly ContentItem[]): Sorted {
  const newest = new Map<Digest, number>()
  for (const { docKey, generation } of items.map(({ part }) => part)) {
    newest.set(docKey, Math.max(generation, newest.get(docKey) ?? 0))
  }
  const isStale = ({ part }: ContentItem): boolean => part.generation < (newest.get(part.docKey) ?? 0)
  return { current: contents.filter(item => !isStale(item)), present: [], stale: contents.filter(isStale) }
}

/**
 * May the index have the vector of these items, which have one content? A part that shares does as the one whose vector it
 * shares; where that is not among fresh work any more, because a newer content outran it, it may have been a copy.
 */
function mayStand(group: readonly ContentItem[], lookUp: LookUp): boolean {
  const actions = new Set(group.map(({ part }) => part.action))
  if (lookUp === 'everything' || actions.has('copy')) return true
  return lookUp === 'nothing' && !actions.has('embed')
}

/** An outcome, with the item whose object may have to go. */
type ItemSettlement = SettleOutcome & { readonly item?: Item }

function settlements(items: readonly Item[], settlement: Settlement): readonly ItemSettlement[] {
  return items.map(item => ({ part: item.part, settlement, item }))
}

function idsOf(items: readonly ContentItem[]): readonly ContentItem['id'][] {
  return items.map(({ id }) => id)
}
