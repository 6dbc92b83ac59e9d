// Walks through the index, slowly and for ever. The index has no conditional writes: a writer that was presumed dead, and
// wakes up when all is done, leaves an old object, and no rule at the writers could prevent that. What is removed here is
// of generations that nobody names again; what is open, or ahead of the ledger, is not touched. And what no search finds
// any more is indexed anew.

import { Failure } from '@pointsman/core/domain/failure'
import type { ObjectId } from '@pointsman/core/domain/identity'
import type { Clock } from '@pointsman/core/ports/clock'
import type { Ledger } from '@pointsman/core/ports/ledger'
import type { ObjectHead, VectorStore } from '@pointsman/core/ports/vector-store'
import { makeSearchable, stillOpen } from './make-searchable.ts'
import { sweepPage, type SweepPageDeps, type Swept } from './sweep-page.ts'
import type { SweepReport } from './sweep-report.ts'

export interface SweeperDeps {
  readonly ledger: SweepPageDeps['ledger'] & Pick<Ledger, 'state'>
  readonly store: SweepPageDeps['store'] & Pick<VectorStore, 'existing' | 'page'>
  readonly clock: Clock
  /** Why it should do nothing now; empty when it may go on. */
  readonly trouble: () => string
  /** Told what a page came to. */
  readonly onPage: (swept: Swept & { readonly objects: number; readonly isEnd: boolean }) => void
}

export interface SweepPolicy {
  /** Between two pages. */
  readonly pauseMs: number
  /** Objects of a page. */
  readonly pageObjects: number
  /** Between two walks. */
  readonly restMs: number
}

const pageObjects = 500
const pausesBetweenWalks = 12

/** @param pauseMs - with 5 seconds, a walk through a million objects takes some three hours. */
export function sweepPolicy(pauseMs: number): SweepPolicy {
  return { pauseMs, pageObjects, restMs: pauseMs * pausesBetweenWalks }
}

export class Sweeper {
  readonly #deps: SweeperDeps
  readonly #policy: SweepPolicy
  #after: ObjectId | undefined
  /** Of former pages: looked at once more with each page, until their document is settled. */
  #moved: readonly ObjectHead[] = []
  #report: SweepReport = {
    resting: 'it has not begun',
    walks: 0,
    objects: 0,
    endedMs: null,
    removed: { outlived: 0, deleted: 0 },
    corrected: 0
  }

  constructor(deps: SweeperDeps, policy: SweepPolicy) {
    this.#deps = deps
    this.#policy = policy
  }

  report(): SweepReport {
    return this.#report
  }

  /** Runs until the signal aborts, then rejects with its reason. */
  async run(signal: AbortSignal): Promise<never> {
    const { pauseMs, restMs } = this.#policy
    for (;;) {
      const step = await this.step(signal)
      await this.#deps.clock.sleep(step === 'ended' ? restMs : pauseMs, signal)
    }
  }

  /** One page, or none while something is away: then it goes on later where it stands. */
  async step(signal: AbortSignal): Promise<'page' | 'ended' | 'resting'> {
    try {
      const resting = await this.#trouble()
      this.#report = { ...this.#report, resting }
      return resting === '' ? await this.#page(signal) : 'resting'
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof Failure)) throw error
      this.#report = { ...this.#report, resting: error.message }
      return 'resting'
    }
  }

  async #trouble(): Promise<string> {
    const { ledger, trouble } = this.#deps
    const told = trouble()
    if (told !== '') return told
    const { rebuild } = await ledger.state()
    return rebuild === undefined ? '' : 'the ledger is rebuilt'
  }

  async #page(signal: AbortSignal): Promise<'page' | 'ended'> {
    const { clock, onPage, store } = this.#deps
    const page = await store.page(this.#after, this.#policy.pageObjects, signal)
    const swept = await sweepPage(this.#deps, [...page, ...this.#moved], signal)
    this.#moved = [
      ...(await stillOpen(this.#deps, this.#moved)),
      ...(await makeSearchable(this.#deps, page, signal))
    ]
    this.#after = page.at(-1)?.id
    const isEnd = this.#after === undefined
    const { corrected, objects, removed, walks } = this.#report
    this.#report = {
      ...this.#report,
      objects: isEnd ? 0 : objects + page.length,
      removed: {
        outlived: removed.outlived + swept.outlived,
        deleted: removed.deleted + swept.deleted
      },
      corrected: corrected + swept.corrected,
      ...(isEnd && { walks: walks + 1, endedMs: clock.nowMs() })
    }
    onPage({ ...swept, objects: page.length, isEnd })
    return isEnd ? 'ended' : 'page'
  }
}
