/**
 * A limit that refills continuously: what was used drains at `limit` per window. Times are milliseconds
 * of the caller's clock and may have fractions.
 */
export class RateBucket {
  readonly limit: number
  readonly #windowMs: number
  #used = 0
  #atMs = 0

  constructor(limit: number, windowMs: number) {
    this.limit = limit
    this.#windowMs = windowMs
  }

  used(nowMs: number): number {
    return Math.max(0, this.#used - ((nowMs - this.#atMs) * this.limit) / this.#windowMs)
  }

  take(amount: number, nowMs: number): void {
    this.#used = this.used(nowMs) + amount
    this.#atMs = nowMs
  }

  /** 0 when `amount` fits now. */
  waitMs(amount: number, nowMs: number): number {
    return Math.max(0, ((this.used(nowMs) + amount - this.limit) * this.#windowMs) / this.limit)
  }

  remaining(nowMs: number): number {
    return Math.max(0, Math.floor(this.limit - this.used(nowMs)))
  }

  msUntilFull(nowMs: number): number {
    return (this.used(nowMs) * this.#windowMs) / this.limit
  }
}
