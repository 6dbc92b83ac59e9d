/** Sums the texts that have to be paid for, and packs them into jobs in the order in which they come. */
export class BillOfTexts {
  readonly #maxLines: number
  readonly #maxBytes: number
  #texts = 0
  #tokens = 0
  #jobs = 0
  #lines = 0
  #bytes = 0

  constructor({ maxLines, maxBytes }: { readonly maxLines: number; readonly maxBytes: number }) {
    this.#maxLines = maxLines
    this.#maxBytes = maxBytes
  }

  add(tokens: number, lineBytes: number): void {
    this.#texts += 1
    this.#tokens += tokens
    if (this.#jobs === 0 || this.#lines === this.#maxLines || this.#bytes + lineBytes > this.#maxBytes) {
      this.#jobs += 1
      this.#lines = 0
      this.#bytes = 0
    }
    this.#lines += 1
    this.#bytes += lineBytes
  }

  get total(): { readonly texts: number; readonly tokens: number; readonly jobs: number } {
    return { texts: this.#texts, tokens: this.#tokens, jobs: this.#jobs }
  }
}
