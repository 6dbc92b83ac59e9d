import type { SeedResult } from './worker.ts'

type Failed = Omit<Extract<SeedResult, { ok: false }>, 'ok'>

/** What many seeds came to, together. */
export class SeedTally {
  readonly #happened = new Map<string, number>()
  readonly #failed: Failed[] = []
  readonly #sums = { documents: 0, payments: 0, repeated: 0, allowed: 0, events: 0, virtualMs: 0 }
  #seeds = 0
  readonly #beganMs = performance.now()

  get happened(): ReadonlyMap<string, number> {
    return this.#happened
  }

  note(result: SeedResult): void {
    this.#seeds += 1
    if (!result.ok) {
      const { invariant, message, seed } = result
      this.#failed.push({ seed, invariant, message })
      return
    }
    const { happened, ...figures } = result.stats
    for (const [what, times] of Object.entries(happened)) {
      this.#happened.set(what, (this.#happened.get(what) ?? 0) + times)
    }
    this.#sums.documents += figures.documents
    this.#sums.payments += figures.payments
    this.#sums.repeated += figures.repeated
    this.#sums.allowed += figures.allowed
    this.#sums.events += figures.events
    this.#sums.virtualMs += figures.virtualMs
  }

  /** @param seed - the first. */
  report(seed: number) {
    const { virtualMs, ...sums } = this.#sums
    return {
      seed,
      seeds: this.#seeds,
      failed: this.#failed,
      seconds: Math.round((performance.now() - this.#beganMs) / 100) / 10,
      virtualHours: Math.round(virtualMs / 36_000) / 100,
      ...sums,
      happened: Object.fromEntries([...this.#happened].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    }
  }
}
