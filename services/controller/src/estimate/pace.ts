import type { LagReport, PartitionLag } from '../lag/lag-report.ts'

/** Over less time a rate says little about hours of work. */
const minWindowMs = 10_000

/** Of a reading of lag, what tells how busy the lane is. */
interface Busyness {
  readonly rates: Pick<LagReport['rates'], 'settledPerSecond' | 'windowMs'>
  readonly totals: Pick<LagReport['totals'], 'unread'>
  readonly partitions: readonly Pick<PartitionLag, 'lane'>[]
}

/** How fast the realtime lane was when it had something to do: the last such reading since the controller began. */
export class Pace {
  #wasBusy = false
  #documentsPerSecond: number | null = null

  note({ report }: { readonly report: Busyness }): void {
    const { rates, totals, partitions } = report
    const isBusy = totals.unread > 0 && partitions.every(({ lane }) => lane === 'realtime')
    const { settledPerSecond, windowMs } = rates
    // Busy all along: a trickle that is kept up with is settled at the rate at which it arrives.
    if (
      isBusy &&
      this.#wasBusy &&
      windowMs >= minWindowMs &&
      settledPerSecond !== null &&
      settledPerSecond > 0
    ) {
      this.#documentsPerSecond = settledPerSecond
    }
    this.#wasBusy = isBusy
  }

  /** Null while nothing was measured. */
  get documentsPerSecond(): number | null {
    return this.#documentsPerSecond
  }
}
