// Chance from a seed: the only one in a simulation. The same seed gives the same numbers on every machine.

export class Random {
  #a: number
  #b: number
  #c: number
  #count: number

  /** @param seed - any integer. @param stream - draws of one stream do not disturb those of another. */
  constructor(seed: number, stream = 0) {
    this.#a = seed >>> 0
    this.#b = Math.floor(seed / 2 ** 32) >>> 0
    this.#c = stream >>> 0
    this.#count = 1
    for (let warm = 0; warm < 12; warm += 1) this.next()
  }

  /** Uniform in [0, 1): the generator sfc32. */
  next(): number {
    const sum = (this.#a + this.#b + this.#count) | 0
    this.#count = (this.#count + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }

  chance(share: number): boolean {
    return this.next() < share
  }

  /** Whole, from `least` to `most`. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least)
  }

  /** @param values - not empty. */
  pick<Value>(values: readonly [Value, ...Value[]]): Value {
    return values[this.int(0, values.length - 1)] ?? values[0]
  }

  /** Something whose weight says how often. @param weighted - not empty, weights above 0. */
  weighted<Value>(weighted: readonly [readonly [number, Value], ...(readonly [number, Value])[]]): Value {
    const total = weighted.reduce((sum, [weight]) => sum + weight, 0)
    let left = this.next() * total
    for (const [weight, value] of weighted) {
      left -= weight
      if (left < 0) return value
    }
    return weighted[0][1]
  }

  stream(): Random {
    return new Random(Math.floor(this.next() * 2 ** 32), Math.floor(this.next() * 2 ** 32))
  }
}
