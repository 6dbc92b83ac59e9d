// What happened, for people: a line for every event that means something, in the order of virtual time.

/** Longer stories keep their beginning and their end. */
const maxLines = 20_000

export class Story {
  readonly #nowMs: () => number
  readonly #lines: string[] = []
  readonly #happened = new Map<string, number>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  /** How often each interesting thing happened. */
  get happened(): ReadonlyMap<string, number> {
    return this.#happened
  }

  tell(who: string, what: string): void {
    if (this.#lines.length >= maxLines) return
    this.#lines.push(`${this.#nowMs().toFixed(1).padStart(9)} ${who.padEnd(12)} ${what}`)
  }

  /** Counts something that has to happen in some run. */
  note(what: string, times = 1): void {
    this.#happened.set(what, (this.#happened.get(what) ?? 0) + times)
  }
}
