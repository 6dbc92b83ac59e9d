// A source that never rests: new, updated, deleted, revived and repeated documents, and documents with a text that another
// has. A text is shared only by documents that are never touched again, so its vector never leaves the index, and all
// other texts are new: no text ever has to be paid for a second time.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Document } from '@pointsman/core/domain/document'
import type { DocumentWriter } from '@pointsman/core/ports/event-log'
import { textHash } from '@pointsman/core/runtime/identity'
import { seededDocuments } from './support/documents.ts'
import { seededRandom } from './support/seeded-random.ts'

export interface SwitchProducerOptions {
  readonly writer: DocumentWriter
  readonly seed: string
  readonly documentsPerSecond: number
}

const tickMs = 15
/** Half of all changes meet one of so many documents, which may be in work still. */
const recent = 200
const noText = { text: '', textHash: textHash(''), tokens: 0, deleted: true }

export class SwitchProducer {
  /** Everything that was acknowledged by the log, in the order in which it was produced. */
  readonly documents: Document[] = []
  readonly #options: SwitchProducerOptions
  readonly #random: () => number
  readonly #fresh: Iterator<Document>
  /** Newest versions: of documents that may change, and of those that never will. */
  readonly #moving: Document[] = []
  readonly #settled: Document[] = []
  #latestMs = 0

  constructor(options: SwitchProducerOptions) {
    this.#options = options
    this.#random = seededRandom(`${options.seed} producer`)
    this.#fresh = seededDocuments(options.seed, Number.POSITIVE_INFINITY)
  }

  /** How late the log acknowledged what was due, at worst. */
  get latestMs(): number {
    return this.#latestMs
  }

  /** Produces until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { documentsPerSecond, writer } = this.#options
    const perMs = documentsPerSecond / 1_000
    const began = performance.now()
    while (!signal.aborted) {
      const due = Math.floor((performance.now() - began) * perMs) - this.documents.length
      const next = Array.from({ length: due }, () => this.#next())
      await writer.write(next, AbortSignal.timeout(30_000))
      this.documents.push(...next)
      this.#latestMs = Math.max(this.#latestMs, performance.now() - began - this.documents.length / perMs)
      await sleep(tickMs, undefined, { signal }).catch(() => undefined)
    }
  }

  #next(): Document {
    const dice = this.#random()
    if (dice < 0.3) return this.#settle(this.#new())
    if (dice < 0.55) return this.#begin(this.#new())
    if (dice < 0.78)
      return this.#change(({ tokens, text, textHash: hash }) => ({ tokens, text, textHash: hash }))
    if (dice < 0.84) return this.#change(() => noText)
    if (dice < 0.94) return this.#share()
    return this.#pick(this.documents) ?? this.#begin(this.#new())
  }

  #new(): Document {
    const { done, value } = this.#fresh.next()
    if (done === true) throw new Error('no texts are left')
    return value
  }

  #settle(document: Document): Document {
    this.#settled.push(document)
    return document
  }

  #begin(document: Document): Document {
    this.#moving.push(document)
    return document
  }

  /** The next version of a document that may change. */
  #change(contentOf: (fresh: Document) => Partial<Document>): Document {
    const index = this.#place(this.#moving)
    const known = this.#moving[index]
    if (known === undefined) return this.#begin(this.#new())
    const next = { ...known, deleted: false, ...contentOf(this.#new()), version: known.version + 1 }
    this.#moving[index] = next
    return next
  }

  /** A new document, or one that changes a last time, takes the text of one that never changes. */
  #share(): Document {
    const source = this.#pick(this.#settled)
    if (source === undefined) return this.#settle(this.#new())
    const { text, textHash: hash, tokens } = source
    const shared = { text, textHash: hash, tokens, deleted: false }
    if (this.#random() < 0.5) return this.#settle({ ...this.#new(), ...shared })
    const [known] = this.#moving.splice(this.#place(this.#moving), 1)
    if (known === undefined) return this.#settle(this.#new())
    return this.#settle({ ...known, ...shared, version: known.version + 1 })
  }

  #pick(documents: readonly Document[]): Document | undefined {
    return documents[this.#place(documents)]
  }

  #place({ length }: readonly Document[]): number {
    const window = this.#random() < 0.5 ? Math.min(length, recent) : length
    return length - 1 - Math.floor(this.#random() * window)
  }
}
