// Carries one obligation to its end: obtain vectors, write objects, remove what they replace, settle. In this order:
// nothing is settled before the index (or the dead-letter topic) acknowledged it (I4).
import type { Digest } from '@pointsman/core/domain/identity'
import type { VectorBytes } from '@pointsman/core/ports/embedder'
import type { Part, SettleOutcome, Settlement } from '@pointsman/core/ports/ledger'
import type { Removal, VectorStore } from '@pointsman/core/ports/vector-store'
import type { Membership } from '@pointsman/core/runtime/membership'
import { type GiveUpDeps, giveUpParts } from './give-up-parts.ts'
import { loadItems } from './load-items.ts'
import type { Slots } from './slots.ts'
import { Disowned, type ObtainDeps, type Text, VectorPurchase } from './vector-purchase.ts'
import { byContent, type ContentItem, type Item, withContent, type Work } from './work.ts'
import { propertiesOf, writeObjects } from './write-objects.ts'

export interface FinishDeps extends ObtainDeps, GiveUpDeps {
  readonly store: VectorStore
  readonly writes: Slots
  readonly membership: Pick<Membership, 'newObligation'>
  readonly gates: ObtainDeps['gates'] & GiveUpDeps['gates']
  /** How long texts whose attempts all ended unknown rest before they are tried again apart. */
  readonly doubtDelayMs: number
  readonly warn: (message: string) => void
}

/**
 * Resolves when the obligation is finished, or when it is somebody else's by now.
 * @throws the signal's reason when it aborts; the ledger then still holds what is left.
 */
export async function finishWork(work: Work, deps: FinishDeps, signal: AbortSignal): Promise<void> {
  const run = new WorkRun(work, deps, signal)
  try {
    await run.finish()
  } catch (error) {
    if (!(error instanceof Disowned)) throw error
    deps.warn(error.message)
  } finally {
    run.release()
  }
}

class WorkRun {
  readonly #work: Work
  readonly #deps: FinishDeps
  readonly #signal: AbortSignal
  readonly #vectors = new Map<Digest, VectorBytes>()
  readonly #dead = new Map<Digest, string>()
  readonly #releases: (() => void)[] = []
  #attempts: number
  #paidTokens = 0

  constructor(work: Work, deps: FinishDeps, signal: AbortSignal) {
    this.#work = work
    this.#deps = deps
    this.#signal = signal
    this.#attempts = work.attempts
  }

  async finish(): Promise<void> {
    let items = this.#work.items
    let adopted = this.#work.adopted
    while (items.length > 0) {
      const more = await this.#carryOut(items, adopted)
      // Whoever joined meanwhile is served with the vector that is here.
      const loaded = await loadItems(more, this.#deps, this.#signal)
      for (const { part, reason } of loaded.missing) await this.#giveUp([part], reason)
      items = loaded.items
      adopted = true
    }
  }

  /** After `finish`, however it ended: nothing uses the vectors any more. */
  release(): void {
    for (const release of this.#releases) release()
  }

  /** @returns parts that joined this obligation meanwhile. */
  async #carryOut(items: readonly Item[], adopted: boolean): Promise<readonly Part[]> {
    const { gates, store, writes } = this.#deps
    const signal = this.#signal
    const contents = items.flatMap(item => withContent(item) ?? [])
    const deletes = items.filter(item => item.part.content === undefined)

    const { current, present, stale } = adopted ? await this.#lookUp(contents) : outrunWithin(items, contents)
    const refreshes = current.filter(({ part }) => part.action === 'refresh')
    const { done: refreshed, absent } = await this.#refresh(refreshes)
    const wanting = [...current.filter(({ part }) => part.action !== 'refresh'), ...absent]

    await this.#obtain(wanting, adopted)
    const writable = wanting.filter(({ content }) => this.#vectors.has(content))
    const { rejected, stored } = await writeObjects(
      writable,
      this.#vectors,
      { store, gate: gates.store, writes },
      signal
    )
    this.#deps.hit('rt.upsert')

    const indexed = [...stored, ...present]
    await this.#removeReplaced(indexed, deletes)
    await this.#removeOwn(stale)
    for (const [item, reason] of rejected) await this.#giveUp([item.part], reason)
    for (const [content, reason] of this.#dead) {
      const doomed = wanting.filter(item => item.content === content)
      await this.#giveUp(
        doomed.map(({ part }) => part),
        reason
      )
    }
    return this.#settle([
      ...settlements([...indexed, ...refreshed], 'indexed'),
      ...settlements(deletes, 'deleted'),
      ...settlements(stale, 'skipped')
    ])
  }

  /** What is superseded or stands in the index already is not paid for. */
  async #lookUp(items: readonly ContentItem[]): Promise<Sorted> {
    if (items.length === 0) return { current: [], present: [], stale: [] }
    const { gates, ledger, store } = this.#deps
    const flags = await gates.ledger.run(() => ledger.superseded(items.map(({ part }) => part)), this.#signal)
    const stale = items.filter((_, index) => flags[index] === true)
    const live = items.filter((_, index) => flags[index] !== true)
    const found = await gates.store.run(() => store.existing(idsOf(live), this.#signal), this.#signal)
    const isPresent = ({ id, part }: ContentItem): boolean => found.has(id) && part.action !== 'refresh'
    return { stale, present: live.filter(isPresent), current: live.filter(item => !isPresent(item)) }
  }

  async #refresh(
    items: readonly ContentItem[]
  ): Promise<{ readonly done: readonly ContentItem[]; readonly absent: readonly ContentItem[] }> {
    const { gates, store } = this.#deps
    const done: ContentItem[] = []
    const absent: ContentItem[] = []
    for (const item of items) {
      const there = await gates.store.run(
        () => store.refresh(item.id, propertiesOf(item), this.#signal),
        this.#signal
      )
      ;(there ? done : absent).push(item)
    }
    return { done, absent }
  }

  async #obtain(items: readonly ContentItem[], adopted: boolean): Promise<void> {
    const { gates, store } = this.#deps
    const groups = byContent(
      items.filter(({ content }) => !this.#vectors.has(content) && !this.#dead.has(content))
    )
    const copyable = [...groups].flatMap(([content, group]) =>
      adopted || group.some(({ part }) => part.action !== 'embed' && part.action !== 'share') ? content : []
    )
    if (copyable.length > 0) {
      const found = await gates.store.run(() => store.vectors(copyable, this.#signal), this.#signal)
      for (const [content, vector] of found) this.#vectors.set(content, vector)
    }

    const texts: Text[] = []
    for (const [content, [item]] of groups) {
      if (item === undefined || this.#vectors.has(content)) continue
      const { text, tokens } = item.logged.document
      texts.push({ content, text, tokens })
    }
    if (texts.length === 0) return
    const purchase = new VectorPurchase(this.#deps, this.#work.obligation, this.#work.owner, this.#attempts)
    const obtained = await purchase.buy(texts, this.#signal)
    this.#attempts = obtained.attempts
    this.#paidTokens += obtained.paidTokens
    this.#releases.push(obtained.release)
    for (const [content, vector] of obtained.vectors) this.#vectors.set(content, vector)
    for (const [content, reason] of obtained.refused) this.#dead.set(content, reason)
    await this.#doubt([...obtained.doubtful], groups)
  }

  /** Every attempt ended unknown: halves rest as orphans until the one that causes it stands alone and is given up. */
  async #doubt(
    doubtful: readonly (readonly [Digest, string])[],
    groups: ReadonlyMap<Digest, readonly ContentItem[]>
  ): Promise<void> {
    const [first] = doubtful
    if (first === undefined) return
    if (doubtful.length === 1) {
      this.#dead.set(...first)
      return
    }
    const { doubtDelayMs, gates, ledger, maxAttempts, membership, warn } = this.#deps
    const middle = Math.ceil(doubtful.length / 2)
    for (const half of [doubtful.slice(0, middle), doubtful.slice(middle)]) {
      const parts = half.flatMap(([content]) => groups.get(content) ?? []).map(({ part }) => part)
      const to = { id: membership.newObligation(), kind: 'orphan' } as const
      const fields = { reason: first[1], delayMs: doubtDelayMs, attempts: maxAttempts - 1 }
      const { obligation, owner } = this.#work
      const moved = await gates.ledger.run(
        () => ledger.move(obligation, owner, parts, to, fields),
        this.#signal
      )
      if (moved.kind === 'gone') throw new Disowned(`obligation ${obligation} is not ours any more`)
    }
    warn(`${doubtful.length} texts rest after ${this.#attempts} attempts without an answer: ${first[1]}`)
  }

  async #removeReplaced(indexed: readonly ContentItem[], deletes: readonly Item[]): Promise<void> {
    const removals: Removal[] = [
      ...indexed
        .filter(item => item.replaces)
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

  /**
   * Removes objects of superseded parts. Not those that a refresh only updated: the newer part may be about to copy
   * their vector, and removes them itself when it is written.
   */
  async #removeOwn(items: readonly ContentItem[]): Promise<void> {
    const { gates, store } = this.#deps
    const ids = idsOf(items.filter(({ part }) => part.action !== 'refresh'))
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
    this.#deps.hit('rt.mark')

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

/** An outcome, with the item whose object may have to go. */
type ItemSettlement = SettleOutcome & { readonly item?: Item }

function settlements(items: readonly Item[], settlement: Settlement): readonly ItemSettlement[] {
  return items.map(item => ({ part: item.part, settlement, item }))
}

function idsOf(items: readonly ContentItem[]): readonly ContentItem['id'][] {
  return items.map(({ id }) => id)
}
