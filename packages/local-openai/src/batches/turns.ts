import { setImmediate } from 'node:timers/promises'

/** Lets the jobs compute one after the other, each a few milliseconds, with whatever else is to be done in between. */
export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** Resolves when it is the caller's turn, which lasts until its next await of something outside. */
  async next(): Promise<void> {
    const before = this.#last
    this.#last = (async () => {
      await before
      await setImmediate()
    })()
    await this.#last
  }
}
