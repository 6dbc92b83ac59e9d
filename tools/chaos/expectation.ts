// What the checker knows: every document that was handed to the log, in the order of its versions. Nothing of it comes from
// what is under test.

import { createHash } from 'node:crypto'
import { poisonWord } from './provider.ts'

/** Of a document as it was produced. */
export interface Produced {
  readonly docId: string
  readonly version: number
  readonly text: string
  readonly title: string
  readonly metadata: string
  readonly deleted: boolean
}

interface TextLife {
  /** How often a document that had another text, or none, got this one. */
  introductions: number
  /** A document that had it has another one by now: its vector may have left the index in between. */
  left: boolean
  /** How often the index lost a vector of it. */
  lost: number
}

const hashDigits = 32

export class Expectation {
  readonly #newest = new Map<string, Produced>()
  readonly #texts = new Map<string, TextLife>()
  readonly #poisoned = new Set<string>()

  note(document: Produced): void {
    const { deleted, docId, text, version } = document
    const before = this.#newest.get(docId)
    if (before !== undefined && before.version >= version) return
    this.#newest.set(docId, document)
    const was = before === undefined || before.deleted ? undefined : before.text
    const is = deleted ? undefined : text
    if (was === is) return
    if (was !== undefined) this.#lifeOf(was).left = true
    if (is === undefined) return
    this.#lifeOf(is).introductions += 1
    if (isPoisoned(is)) this.#poisoned.add(docId)
  }

  /** A document whose object the index has lost: its text may be paid for once more. */
  allowAgain(docId: string): void {
    const text = this.#newest.get(docId)?.text
    if (text !== undefined) this.#lifeOf(text).lost += 1
  }

  /** Every document that was ever produced, as it is now; deleted ones too. */
  get newest(): ReadonlyMap<string, Produced> {
    return this.#newest
  }

  /** Documents that had a poisoned text at some time. */
  get poisoned(): ReadonlySet<string> {
    return this.#poisoned
  }

  isKnown(textHash: string): boolean {
    return this.#texts.has(textHash)
  }

  /**
   * How often a text may have been necessary: its vector is paid for again if the last document that had it got another one,
   * and then one has it again. A text that no document ever left is necessary once.
   */
  necessary(textHash: string): number {
    const life = this.#texts.get(textHash)
    if (life === undefined) return 0
    return life.lost + (life.left ? life.introductions : Math.min(1, life.introductions))
  }

  #lifeOf(text: string): TextLife {
    const hash = hashOf(text)
    const known = this.#texts.get(hash) ?? { introductions: 0, left: false, lost: 0 }
    this.#texts.set(hash, known)
    return known
  }
}

export function isPoisoned(text: string): boolean {
  return text.includes(poisonWord)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, hashDigits)
}
