/** Bytes under construction in one piece of memory, which is used again after `clear`. */
export class ByteBuffer {
  #bytes: Buffer
  #length = 0
  readonly #keptBytes: number

  /** @param keptBytes - of memory, at the start and after each `clear`. */
  constructor(keptBytes: number) {
    this.#keptBytes = keptBytes
    this.#bytes = Buffer.allocUnsafe(keptBytes)
  }

  get length(): number {
    return this.#length
  }

  /** What has been written; valid until the next writing. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
    if (this.#bytes.length > this.#keptBytes) this.#bytes = Buffer.allocUnsafe(this.#keptBytes)
  }

  /** @param text - of characters below 256 only. */
  writeLatin1(text: string): void {
    this.fill(text.length, (target, offset) => target.write(text, offset, 'latin1'))
  }

  write(bytes: Buffer): void {
    this.fill(bytes.length, (target, offset) => bytes.copy(target, offset))
  }

  writeUtf8(text: string): void {
    this.fill(text.length * 3, (target, offset) => target.write(text, offset, 'utf8'))
  }

  /** @param write - writes at most `maxBytes` and says how many. */
  fill(maxBytes: number, write: (target: Buffer, offset: number) => number): void {
    const needed = this.#length + maxBytes
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
    }
    this.#length += write(this.#bytes, this.#length)
  }
}
