import { abortable } from '../runtime/abortable.ts'

/** A fixed number of places, given out in order of asking. */
export class Slots {
  #free: number
  #queue: PromiseWithResolvers<void>[] = []

  constructor(places: number) {
    this.#free = places
  }

  get free(): number {
    return this.#free
  }

  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    const turn = Promise.withResolvers<void>()
    this.#queue.push(turn)
    try {
      await abortable(turn.promise, signal)
    } catch (error) {
      if (this.#queue.includes(turn)) this.#queue = this.#queue.filter(other => other !== turn)
      else this.give()
      throw error
    }
  }

  /** Holds a place while `work` runs. */
  async use<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    await this.take(signal)
    try {
      return await work()
    } finally {
      this.give()
    }
  }

  give(): void {
    const next = this.#queue.shift()
    if (next === undefined) this.#free += 1
    else next.resolve()
  }
}
