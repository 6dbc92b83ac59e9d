/** Sums the texts that have to be paid for, and packs them into jobs in the order in which they come. */
export class BillOfTexts {
  readonly #maxLines: number
  readonly #maxBytes: number
  readonly #maxTokens: number
  #texts = 0
  #tokens = 0
  #jobs = 0
  #lines = 0
  #bytes = 0
  #jobTokens = 0

  constructor({
    maxLines,
    maxBytes,
    maxTokens
  }: { readonly maxLines: number; readonly maxBytes: number; readonly maxTokens: number }) {
    this.#maxLines = maxLines
    this.#maxBytes = maxBytes
    this.#maxTokens = maxTokens
  }

  add(tokens: number, lineBytes: number): void {
    this.#texts += 1
    this.#tokens += tokens
    const isFull =
      this.#lines === this.#maxLines ||
      this.#bytes + lineBytes > this.#maxBytes ||
      this.#jobTokens + tokens > this.#maxTokens
    if (this.#jobs === 0 || isFull) {
      this.#jobs += 1
      this.#lines = 0
      this.#bytes = 0
      this.#jobTokens = 0
    }
    this.#lines += 1
    this.#bytes += lineBytes
    this.#jobTokens += tokens
  }

  get total(): { readonly texts: number; readonly tokens: number; readonly jobs: number } {
    return { texts: this.#texts, tokens: this.#tokens, jobs: this.#jobs }
  }
}
