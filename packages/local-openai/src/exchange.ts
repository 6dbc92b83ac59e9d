/** One request and what became of it, as `GET /_local/journal` shows it. */
export interface Exchange {
  readonly requestId: string
  readonly at: string
  readonly method: string
  readonly route: string
  /** What the official clients send in `X-Stainless-Retry-Count`. */
  readonly retryCount: number | null
  model: string | null
  inputs: number
  tokens: number
  paid: boolean
  /** The kind of the fault that was played, if any. */
  fault: string | null
  /** Absent until answered; 0 for a connection cut or left without an answer. */
  status: number | null
  durationMs: number | null
}

/** The last requests, oldest first. */
export class Journal {
  readonly #limit: number
  #exchanges: Exchange[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  add(exchange: Exchange): void {
    this.#exchanges.push(exchange)
    // Cut rarely: shifting for every request would cost as much as the list is long.
    if (this.#exchanges.length >= this.#limit * 2) this.#exchanges = this.last(this.#limit)
  }

  last(count: number): Exchange[] {
    return this.#exchanges.slice(-Math.min(count, this.#limit))
  }

  clear(): void {
    this.#exchanges = []
  }
}
