import type { Clock } from '@pointsman/core/ports/clock'
import type { Ledger, PastJob, Survey } from '@pointsman/core/ports/ledger'
import { manifestsOf } from './manifests.ts'

/** As many as the ledger keeps. */
const keptJobs = 1000
const maxAgeMs = 10_000

/**
 * The jobs that are over. They change only when one more ends, so that those who ask every second, for the spend, are
 * answered from what was read last.
 */
export class JobBook {
  readonly #ledger: Pick<Ledger, 'pastJobs'>
  readonly #clock: Pick<Clock, 'nowMs'>
  #jobs: readonly PastJob[] = []
  #readMs = Number.NEGATIVE_INFINITY
  #ledgerId = ''
  #living = 0

  constructor(ledger: Pick<Ledger, 'pastJobs'>, clock: Pick<Clock, 'nowMs'>) {
    this.#ledger = ledger
    this.#clock = clock
  }

  /** Latest first. */
  async past(): Promise<readonly PastJob[]> {
    this.#readMs = this.#clock.nowMs()
    this.#jobs = await this.#ledger.pastJobs(keptJobs)
    return this.#jobs
  }

  /**
   * Tokens paid for at the price of the batch lane, of which the ledger keeps no sum of its own: those of the jobs that
   * live and of the last thousand that are over.
   */
  async tokensPaidInJobs(survey: Survey): Promise<number> {
    const living = manifestsOf(survey)
    const isOld = this.#clock.nowMs() - this.#readMs > maxAgeMs
    if (isOld || living.length < this.#living || survey.state.ledgerId !== this.#ledgerId) await this.past()
    this.#living = living.length
    this.#ledgerId = survey.state.ledgerId
    const paid = [...this.#jobs, ...living.map(({ job }) => job)].reduce(
      (sum, { paidTokens }) => sum + paidTokens,
      0
    )
    return Math.min(paid, survey.counts.paidTokens)
  }
}
