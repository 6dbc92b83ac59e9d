/** What happens, for a person: a line each, with the seconds since the beginning. */
export class Timeline {
  readonly #write: (line: string) => void
  #beganMs = performance.now()

  constructor(write: (line: string) => void) {
    this.#write = write
  }

  /** From now on seconds are counted. */
  begin(): void {
    this.#beganMs = performance.now()
  }

  get elapsedMs(): number {
    return performance.now() - this.#beganMs
  }

  tell(text: string): void {
    this.#write(`${(this.elapsedMs / 1000).toFixed(1).padStart(7)} s  ${text}`)
  }
}
