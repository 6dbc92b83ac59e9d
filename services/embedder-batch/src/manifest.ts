import type { ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import { Disowned } from '@pointsman/core/lane/vector-source'
import type { Job } from '@pointsman/core/ports/job'
import type { Ledger, ManifestState, Obligation, Part } from '@pointsman/core/ports/ledger'
import type { Gate } from '@pointsman/core/runtime/gate'

export interface ManifestDeps {
  readonly ledger: Ledger
  readonly gates: { readonly ledger: Gate }
}

/** Parts of one page. */
const pageParts = 256

/** A manifest of ours, as the ledger last knew it. Every change of it goes through the ledger first. */
export class Manifest {
  readonly id: ObligationId
  readonly owner: OwnerId
  readonly #deps: ManifestDeps
  #state: ManifestState
  #job: Job

  constructor(id: ObligationId, owner: OwnerId, state: ManifestState, job: Job, deps: ManifestDeps) {
    this.id = id
    this.owner = owner
    this.#state = state
    this.#job = job
    this.#deps = deps
  }

  get state(): ManifestState {
    return this.#state
  }

  get job(): Job {
    return this.#job
  }

  /**
   * Goes to another state and notes what is known of the job; the same state only notes.
   * @throws {Disowned} it is somebody else's by now.
   */
  async advance(to: ManifestState, fields: Partial<Job>, signal: AbortSignal): Promise<void> {
    await this.#advance(to, fields, signal)
    this.#state = to
    this.#job = { ...this.#job, ...fields }
  }

  /** Ends it. @returns false when parts joined meanwhile. */
  async archive(signal: AbortSignal): Promise<boolean> {
    const { gates, ledger } = this.#deps
    const answer = await gates.ledger.run(
      () => ledger.advance(this.id, this.owner, this.#state, 'archived', {}),
      signal
    )
    // `gone` may be our own archiving, whose answer was lost.
    return answer !== 'refused'
  }

  /** All parts in order, a page at a time. Those that settle or move meanwhile do not disturb the walk. */
  async *pages(signal: AbortSignal): AsyncGenerator<readonly Part[]> {
    const { gates, ledger } = this.#deps
    let after: Part | undefined
    for (;;) {
      const page = { after, limit: pageParts }
      const parts = await gates.ledger.run(() => ledger.parts(this.id, page), signal)
      if (parts.length === 0) return
      yield parts
      after = parts.at(-1)
    }
  }

  async #advance(to: ManifestState, fields: Partial<Job>, signal: AbortSignal): Promise<void> {
    const { gates, ledger } = this.#deps
    const answer = await gates.ledger.run(
      () => ledger.advance(this.id, this.owner, this.#state, to, fields),
      signal
    )
    if (answer !== 'advanced') throw new Disowned(`manifest ${this.id} is not ours any more`)
  }
}

/** @returns undefined for an obligation that is no manifest. */
export function manifestOf(obligation: Obligation, owner: OwnerId, deps: ManifestDeps): Manifest | undefined {
  const { id, job, state } = obligation
  if (job === undefined || state === 'admitted' || state === 'paying') return undefined
  return new Manifest(id, owner, state, job, deps)
}
