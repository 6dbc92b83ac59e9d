// The vectors of one request: paid for at once. Texts whose outcome stays unknown are moved apart, until the one that
// causes it stands alone and is given up.
import type { Digest } from '@pointsman/core/domain/identity'
import type { Membership } from '@pointsman/core/lane/membership'
import { Disowned, type Obtained, type VectorSource } from '@pointsman/core/lane/vector-source'
import type { ContentItem, Work } from '@pointsman/core/lane/work'
import { type PurchaseDeps, VectorPurchase } from './vector-purchase.ts'

export interface BoughtVectorsDeps extends PurchaseDeps {
  readonly membership: Pick<Membership, 'newObligation'>
  /** How long texts whose attempts all ended unknown rest before they are tried again apart. */
  readonly doubtDelayMs: number
  readonly warn: (message: string) => void
}

export class BoughtVectors implements VectorSource {
  readonly #deps: BoughtVectorsDeps
  readonly #work: Work
  readonly #releases: (() => void)[] = []
  #attempts: number

  constructor(deps: BoughtVectorsDeps, work: Work) {
    this.#deps = deps
    this.#work = work
    this.#attempts = work.attempts
  }

  async obtain(wanted: ReadonlyMap<Digest, readonly ContentItem[]>, signal: AbortSignal): Promise<Obtained> {
    const texts = [...wanted].flatMap(([content, [item]]) => {
      if (item === undefined) return []
      const { text, tokens } = item.logged.document
      return [{ content, text, tokens }]
    })
    const { obligation, owner } = this.#work
    const purchase = new VectorPurchase(this.#deps, obligation, owner, this.#attempts)
    const { attempts, doubtful, paidTokens, refused, release, vectors } = await purchase.buy(texts, signal)
    this.#attempts = attempts
    this.#releases.push(release)
    const given = doubtful.size === 1 ? doubtful : await this.#moveApart([...doubtful], wanted, signal)
    return { vectors, dead: new Map([...refused, ...given]), paidTokens, attempts }
  }

  release(): void {
    for (const release of this.#releases) release()
  }

  /** Halves rest as orphans. @returns nothing: the doubtful ones are not this work's any more. */
  async #moveApart(
    doubtful: readonly (readonly [Digest, string])[],
    groups: ReadonlyMap<Digest, readonly ContentItem[]>,
    signal: AbortSignal
  ): Promise<ReadonlyMap<Digest, string>> {
    const [first] = doubtful
    if (first === undefined) return new Map()
    const { doubtDelayMs, gates, ledger, maxAttempts, membership, warn } = this.#deps
    const middle = Math.ceil(doubtful.length / 2)
    for (const half of [doubtful.slice(0, middle), doubtful.slice(middle)]) {
      const parts = half.flatMap(([content]) => groups.get(content) ?? []).map(({ part }) => part)
      const to = { id: membership.newObligation(), kind: 'orphan' } as const
      const fields = { reason: first[1], delayMs: doubtDelayMs, attempts: maxAttempts - 1, failures: 0 }
      const { obligation, owner } = this.#work
      const moved = await gates.ledger.run(() => ledger.move(obligation, owner, parts, to, fields), signal)
      if (moved.kind !== 'moved') throw new Disowned(`obligation ${obligation} is not ours any more`)
    }
    warn(`${doubtful.length} texts rest after ${this.#attempts} attempts without an answer: ${first[1]}`)
    return new Map()
  }
}
