// Virtual time: events happen one after the other, in the order of their times, and what one sets in motion comes to
// rest before the next. Nothing else gives an order, so a run is repeated by repeating its events.
import { setImmediate } from 'node:timers/promises'

interface Entry {
  readonly atMs: number
  readonly number: number
  run: (() => void) | undefined
}

export class Schedule {
  /** Ordered as a heap. */
  readonly #entries: Entry[] = []
  #nowMs = 0
  #number = 0
  #events = 0

  get nowMs(): number {
    return this.#nowMs
  }

  /** Events that have happened. */
  get events(): number {
    return this.#events
  }

  /** @returns what takes it back. */
  after(delayMs: number, run: () => void): () => void {
    const entry: Entry = { atMs: this.#nowMs + Math.max(0, delayMs), number: this.#number, run }
    this.#number += 1
    this.#push(entry)
    return () => {
      entry.run = undefined
    }
  }

  /** Lets events happen until that time, or until `isOver`, which is asked after each. */
  async runUntil(atMs: number, isOver: () => boolean = () => false): Promise<void> {
    while (!isOver()) {
      const [next] = this.#entries
      if (next === undefined || next.atMs > atMs) {
        this.#nowMs = Math.max(this.#nowMs, atMs)
        return
      }
      this.#pop()
      const { run } = next
      if (run === undefined) continue
      this.#nowMs = next.atMs
      this.#events += 1
      run()
      // All microtasks come first.
      await setImmediate()
    }
  }

  #push(entry: Entry): void {
    const heap = this.#entries
    let index = heap.length
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || !isBefore(entry, parent)) break
      heap[index] = parent
      index = above
    }
    heap[index] = entry
  }

  #pop(): void {
    const heap = this.#entries
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      let below = index * 2 + 1
      const left = heap[below]
      const right = heap[below + 1]
      if (left === undefined) break
      let child = left
      if (right !== undefined && isBefore(right, left)) {
        below += 1
        child = right
      }
      if (!isBefore(child, last)) break
      heap[index] = child
      index = below
    }
    heap[index] = last
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number)
}
