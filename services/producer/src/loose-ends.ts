/** What a run could not bring to its end, for a later one: who follows a folder comes back to it. */
export class LooseEnds {
  readonly #again = new Map<string, Set<string>>()
  readonly #whole = new Set<string>()
  #isEverything = false

  /** What is wrong with the file lies outside it: it may be read another time though it has not changed. */
  again(origin: string, path: string): void {
    const paths = this.#again.get(origin) ?? new Set()
    this.#again.set(origin, paths.add(path))
  }

  /** Only who reads all of the root can tell what becomes of a text. */
  readWhole(origin: string): void {
    this.#whole.add(origin)
  }

  /** What was sent before has to be sent again. */
  readEverything(): void {
    this.#isEverything = true
  }

  againIn(origin: string): ReadonlySet<string> {
    return this.#again.get(origin) ?? new Set()
  }

  isWholeWanted(origin: string): boolean {
    return this.#isEverything || this.#whole.has(origin)
  }
}
