// Who was paid for how often: an open-addressing table on one typed array, because a map of
// strings takes four times the memory and the benchmarks pay for millions of inputs.
// An entry is 7 words: 16 bytes of the text's SHA-256, the space (model and dimensions), the count, the tokens.

export interface Payment {
  readonly model: string
  readonly dimensions: number
  /** The first 32 hex digits of the text's SHA-256. */
  readonly textHash: string
  /** How many times it was paid for. */
  readonly count: number
  /** Tokens of one payment. */
  readonly tokens: number
}

interface Space {
  readonly model: string
  readonly dimensions: number
}

const words = 7
const digestBytes = 16

export class PaymentTable {
  readonly #spaces: Space[] = []
  readonly #spaceByName = new Map<string, number>()
  #entries = new Uint32Array(words * 4096)
  #distinctInputs = 0
  #distinctTokens = 0

  get distinctInputs(): number {
    return this.#distinctInputs
  }

  get distinctTokens(): number {
    return this.#distinctTokens
  }

  /** The number to give to `pay` for vectors of one model and length. */
  space(model: string, dimensions: number): number {
    const name = `${dimensions} ${model}`
    let space = this.#spaceByName.get(name)
    if (space === undefined) {
      space = this.#spaces.push({ model, dimensions }) - 1
      this.#spaceByName.set(name, space)
    }
    return space
  }

  /** @param digest - at least 16 bytes of the text's SHA-256, from `offset` on. */
  pay(space: number, digest: Buffer, offset: number, tokens: number): void {
    if (this.#distinctInputs * words * 1.5 > this.#entries.length) this.#grow()
    const [a, b, c, d] = readDigest(digest, offset)
    const at = find(this.#entries, space, a, b, c, d)
    const entries = this.#entries
    if (entries[at + 5] === 0) {
      entries.set([a, b, c, d, space, 0, tokens], at)
      this.#distinctInputs++
      this.#distinctTokens += tokens
    }
    entries[at + 5] = (entries[at + 5] ?? 0) + 1
  }

  /** Payments made at least `minCount` times. */
  *list(minCount: number): Generator<Payment> {
    for (let at = 0; at < this.#entries.length; at += words) {
      const count = this.#entries[at + 5] ?? 0
      const space = this.#spaces[this.#entries[at + 4] ?? 0]
      if (count === 0 || count < minCount || !space) continue
      const digest = Buffer.alloc(digestBytes)
      for (let word = 0; word < 4; word++) digest.writeUInt32LE(this.#entries[at + word] ?? 0, word * 4)
      yield { ...space, textHash: digest.toString('hex'), count, tokens: this.#entries[at + 6] ?? 0 }
    }
  }

  #grow(): void {
    const old = this.#entries
    const grown = new Uint32Array(old.length * 2)
    for (let from = 0; from < old.length; from += words) {
      if (old[from + 5] === 0) continue
      const entry = old.subarray(from, from + words)
      const [a = 0, b = 0, c = 0, d = 0, space = 0] = entry
      grown.set(entry, find(grown, space, a, b, c, d))
    }
    this.#entries = grown
  }
}

function readDigest(digest: Buffer, offset: number): [number, number, number, number] {
  return [
    digest.readUInt32LE(offset),
    digest.readUInt32LE(offset + 4),
    digest.readUInt32LE(offset + 8),
    digest.readUInt32LE(offset + 12)
  ]
}

/** Where the entry is, or the free place for it: the table always has free places. */
function find(entries: Uint32Array, space: number, a: number, b: number, c: number, d: number): number {
  const places = entries.length / words
  for (let place = (a ^ space) >>> 0; ; place++) {
    const at = (place % places) * words
    if (entries[at + 5] === 0) return at
    if (
      entries[at] === a &&
      entries[at + 1] === b &&
      entries[at + 2] === c &&
      entries[at + 3] === d &&
      entries[at + 4] === space
    )
      return at
  }
}
