// Pays for the vectors of one obligation's texts. A paid attempt is journalled before it is sent; a refused one is repeated without another.
import { Failure, policyOf } from '@pointsman/core/domain/failure'
import type { Digest, ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type { Embedder, VectorBytes } from '@pointsman/core/ports/embedder'
import type { Ledger } from '@pointsman/core/ports/ledger'
import { Disowned } from '@pointsman/core/lane/vector-source'
import type { HitFailpoint } from '@pointsman/core/runtime/failpoint'
import type { Gate } from '@pointsman/core/runtime/gate'
import type { CallEnd, ProviderLimit } from './provider-limit.ts'
import { messageOf } from '@pointsman/core/runtime/message-of'

export interface PurchaseDeps {
  readonly ledger: Ledger
  readonly embedder: Embedder
  readonly limit: ProviderLimit
  readonly gates: { readonly ledger: Gate; readonly store: Gate; readonly provider: Gate }
  readonly hit: HitFailpoint
  /** Attempts with an unknown outcome before a request is given up as a whole. */
  readonly maxAttempts: number
}

export interface Text {
  readonly content: Digest
  readonly text: string
  readonly tokens: number
}

export interface Purchased {
  readonly vectors: ReadonlyMap<Digest, VectorBytes>
  /** Contents that the provider will never embed, with its reason. */
  readonly refused: ReadonlyMap<Digest, string>
  /** Contents whose outcome stayed unknown in every attempt, with the last reason. */
  readonly doubtful: ReadonlyMap<Digest, string>
  readonly paidTokens: number
  readonly attempts: number
  /** For when the vectors are not needed any more; see `Embedded`. */
  readonly release: () => void
}

export class VectorPurchase {
  readonly #deps: PurchaseDeps
  readonly #obligation: ObligationId
  readonly #owner: OwnerId
  readonly #vectors = new Map<Digest, VectorBytes>()
  readonly #refused = new Map<Digest, string>()
  readonly #doubtful = new Map<Digest, string>()
  readonly #releases: (() => void)[] = []
  #attempts: number
  #inputsAtRisk = 0
  #paidTokens = 0
  /** The attempt journalled last was surely not carried out (or in part: its inputs cover the rest). */
  #attemptOpen = false

  /** @param attempts - journalled so far, by whomever. */
  constructor(deps: PurchaseDeps, obligation: ObligationId, owner: OwnerId, attempts: number) {
    this.#deps = deps
    this.#obligation = obligation
    this.#owner = owner
    this.#attempts = attempts
  }

  /**
   * Pays for texts of distinct contents.
   * @throws {Disowned} when the obligation is not ours any more; the signal's reason when it aborts.
   */
  async buy(texts: readonly Text[], signal: AbortSignal): Promise<Purchased> {
    this.#inputsAtRisk = texts.length
    if (texts.length > 0) await this.#buyGroup(texts, signal)
    return {
      vectors: this.#vectors,
      refused: this.#refused,
      doubtful: this.#doubtful,
      paidTokens: this.#paidTokens,
      attempts: this.#attempts,
      release: () => {
        for (const release of this.#releases) release()
      }
    }
  }

  async #buyGroup(texts: readonly Text[], signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.#send(texts, signal)
        return
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof Disowned) throw error
        const reason = messageOf(error)
        const code = error instanceof Failure ? error.code : undefined

        if (code === 'EMBED_INPUT_REJECTED' || code === 'EMBED_TOO_LARGE') {
          await this.#bisect(texts, error instanceof Failure ? error.inputIndex : undefined, reason, signal)
          return
        }
        if (policyOf(error)[1] === 'unknown') {
          this.#attemptOpen = false
          if (this.#attempts >= this.#deps.maxAttempts) {
            for (const { content } of texts) this.#doubtful.set(content, reason)
            return
          }
        }
        // A dependency that is down must not use up attempts: wait until its free check succeeds.
        if (code !== 'EMBED_RATE_LIMITED') this.#deps.gates.provider.close(reason)
      }
    }
  }

  /** A bad input fails its neighbours: leave out the one that was named, else halve until it stands alone. */
  async #bisect(
    texts: readonly Text[],
    badIndex: number | undefined,
    reason: string,
    signal: AbortSignal
  ): Promise<void> {
    const [first] = texts
    if (first === undefined) return
    const bad = badIndex === undefined ? undefined : texts[badIndex]
    if (texts.length === 1 || bad !== undefined) {
      this.#refused.set((bad ?? first).content, reason)
      const rest = texts.filter(text => text !== (bad ?? first))
      if (rest.length > 0) await this.#buyGroup(rest, signal)
      return
    }
    const middle = Math.ceil(texts.length / 2)
    await this.#buyGroup(texts.slice(0, middle), signal)
    await this.#buyGroup(texts.slice(middle), signal)
  }

  async #send(texts: readonly Text[], signal: AbortSignal): Promise<void> {
    const { embedder, gates, hit, limit } = this.#deps
    const tokens = texts.reduce((sum, text) => sum + text.tokens, 0)
    for (const gate of [gates.store, gates.ledger, gates.provider]) await gate.pass(signal)
    await limit.enter(tokens, signal)

    let end: CallEnd = { kind: 'failed' }
    try {
      await this.#journal(signal)
      hit('rt.pay')
      const answer = await embedder.embed(
        texts.map(({ text }) => text),
        signal
      )
      hit('rt.response')
      end = { kind: 'answered', limits: answer.limits }
      gates.provider.succeeded()
      this.#paidTokens += answer.paidTokens
      if (answer.release !== undefined) this.#releases.push(answer.release)
      texts.forEach(({ content }, index) => {
        const vector = answer.vectors[index]
        if (vector !== undefined) this.#vectors.set(content, vector)
      })
    } catch (error) {
      if (error instanceof Failure && error.code === 'EMBED_RATE_LIMITED') {
        end = { kind: 'limited', retryAfterMs: error.retryAfterMs }
      }
      throw error
    } finally {
      limit.leave(end)
    }
  }

  async #journal(signal: AbortSignal): Promise<void> {
    if (this.#attemptOpen) return
    const { gates, ledger } = this.#deps
    const attempt = this.#attempts + 1
    const answer = await gates.ledger.run(
      () => ledger.attempt(this.#obligation, this.#owner, attempt, this.#inputsAtRisk),
      signal
    )
    if (answer === 'gone') throw new Disowned(`obligation ${this.#obligation} is not ours any more`)
    this.#attempts = attempt
    this.#attemptOpen = true
  }
}
