// Documents, straight into the log: created, changed, reverted, deleted, revived, repeated, with texts that others have, and
// a few that no provider takes. As a producer does, what the log did not acknowledge is sent again. There are quiet periods.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Document } from '@pointsman/core/domain/document'
import { Failure } from '@pointsman/core/domain/failure'
import type { DocumentWriter } from '@pointsman/core/ports/event-log'
import { textHash } from '@pointsman/core/runtime/identity'
import { countTokens } from '../../services/producer/src/count-tokens.ts'
import type { Expectation, Produced } from './expectation.ts'
import { poisonWord } from './provider.ts'

/** Documents a second, in turn; each for so long as a period lasts. */
const rates = [60, 110, 25, 80, 0, 140, 50] as const
const periodMs = 4_000
const tickMs = 150
const recent = 150

const words =
  `signal junction freight platform timetable harbour cathedral gravity manuscript telescope apprentice
laboratory hypothesis parliament velocity granite lighthouse orchard ferry compass meadow turbine ledger`.split(
    /\s+/
  )

export class Traffic {
  readonly #writer: DocumentWriter
  readonly #expectation: Expectation
  readonly #random: () => number
  readonly #documents: Produced[] = []
  #records = 0
  #texts = 0

  constructor(writer: DocumentWriter, expectation: Expectation, random: () => number) {
    this.#writer = writer
    this.#expectation = expectation
    this.#random = random
  }

  /** Acknowledged by the log; of a repetition that may have arrived before, once. */
  get records(): number {
    return this.#records
  }

  /** Until the signal aborts; what has begun is brought to its end. */
  async run(signal: AbortSignal): Promise<void> {
    const beganMs = performance.now()
    let lastMs = beganMs
    let due = 0
    while (!signal.aborted) {
      const nowMs = performance.now()
      const rate = rates[Math.floor((nowMs - beganMs) / periodMs) % rates.length] ?? 0
      due += ((nowMs - lastMs) / 1_000) * rate
      lastMs = nowMs
      // After an outage not everything comes at once.
      const count = Math.min(Math.floor(due), 200)
      due = Math.min(due - count, 400)
      if (count > 0) await this.#write(Array.from({ length: count }, () => this.#next()))
      await sleep(tickMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async #write(produced: readonly Produced[]): Promise<void> {
    for (const document of produced) this.#expectation.note(document)
    const documents = produced.map(documentOf)
    for (;;) {
      try {
        await this.#writer.write(documents, AbortSignal.timeout(60_000))
        this.#records += documents.length
        return
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'LOG_UNAVAILABLE') throw error
        await sleep(200)
      }
    }
  }

  #next(): Produced {
    const dice = this.#random()
    if (dice < 0.4) return this.#create(this.#newText())
    if (dice < 0.62) return this.#change(({ docId }) => ({ docId, text: this.#newText() }))
    if (dice < 0.7) return this.#change(() => ({ text: '', deleted: true }))
    if (dice < 0.78) return this.#revert()
    if (dice < 0.88) return this.#create(this.#anyText())
    if (dice < 0.91) return this.#change(() => ({ text: this.#anyText() }))
    if (dice < 0.95) return this.#change(({ text }) => ({ text, metadata: `{"read":${this.#texts}}` }))
    if (dice < 0.952) return this.#create(`${poisonWord} ${this.#newText()}`)
    return this.#repeat()
  }

  #create(text: string): Produced {
    const docId = `doc-${this.#documents.length}`
    return this.#add({ docId, version: 1, text, title: '', metadata: '{}', deleted: false })
  }

  /** The next version of a document. A tombstone is followed by a text that it had not before, or had. */
  #change(contentOf: (before: Produced) => Partial<Produced>): Produced {
    const before = this.#pick()
    if (before === undefined) return this.#create(this.#newText())
    const newest = this.#expectation.newest.get(before.docId) ?? before
    const next = { ...newest, deleted: false, ...contentOf(newest), version: newest.version + 1 }
    return this.#add(next.deleted || next.text !== '' ? next : { ...next, text: this.#newText() })
  }

  /** To a text that the document had before, if it was ever changed. */
  #revert(): Produced {
    const earlier = this.#pick()
    if (earlier === undefined || earlier.deleted) return this.#create(this.#newText())
    const newest = this.#expectation.newest.get(earlier.docId) ?? earlier
    return this.#add({ ...earlier, version: newest.version + 1 })
  }

  /**
   * A record once more, of an old version too. But what comes before a deletion is not repeated after it: a ledger that was
   * rebuilt since knows no deletions that were settled before.
   */
  #repeat(): Produced {
    const record = this.#pick()
    if (record === undefined) return this.#create(this.#newText())
    const newest = this.#expectation.newest.get(record.docId) ?? record
    return newest.deleted ? newest : record
  }

  #add(document: Produced): Produced {
    this.#documents.push(document)
    // Those of one tick know of each other.
    this.#expectation.note(document)
    return document
  }

  /** One that a document has or had. */
  #anyText(): string {
    const text = this.#pick()?.text ?? ''
    return text === '' ? this.#newText() : text
  }

  #newText(): string {
    this.#texts += 1
    const word = (): string => words[Math.floor(this.#random() * words.length)] ?? ''
    return `${Array.from({ length: 10 }, word).join(' ')} ${this.#texts}`
  }

  /** Half of all changes meet a recent document, which may be in work still. */
  #pick(): Produced | undefined {
    const { length } = this.#documents
    const window = this.#random() < 0.5 ? Math.min(length, recent) : length
    return this.#documents[length - 1 - Math.floor(this.#random() * window)]
  }
}

function documentOf({ deleted, docId, metadata, text, title, version }: Produced): Document {
  return {
    docId,
    sourceId: docId,
    version,
    chunk: 0,
    chunks: 1,
    title,
    text,
    textHash: textHash(text),
    tokens: deleted ? 0 : countTokens(text),
    metadata,
    deleted
  }
}
