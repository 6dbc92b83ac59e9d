/**
 * Numbers that never fall while a ledger lives: frontiers, watermarks, the epoch. One that does tells that the ledger is
 * an older copy of itself.
 *
 * Answers overtake each other, so only that is held against an answer which was known *before* its question was sent: it
 * was true then, and whatever is read later cannot be less.
 */
export class RisingNumbers {
  readonly #known = new Map<string, bigint>()

  /**
   * Call it before a question is sent, and what it returns with the answer.
   * @returns in words what fell; undefined when nothing did.
   */
  ask(): (heard: Iterable<readonly [name: string, value: bigint]>) => string | undefined {
    const before = new Map(this.#known)
    return heard => {
      let fallen: string | undefined
      for (const [name, value] of heard) {
        const known = before.get(name)
        if (known !== undefined && value < known) fallen ??= `${name} fell from ${known} to ${value}`
        this.learn(name, value)
      }
      return fallen
    }
  }

  /** It was at least this much at some time: not an answer to what it is now. */
  learn(name: string, value: bigint): void {
    if (value > (this.#known.get(name) ?? -1n)) this.#known.set(name, value)
  }
}
