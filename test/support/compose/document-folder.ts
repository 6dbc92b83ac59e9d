// What lies in the mounted folder, and therefore has to be in the index. Every text is a new one, so that each has to be
// paid for once.

import { createHash } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const words =
  'signal lever siding platform freight whistle gradient junction boiler carriage ballast timetable driver cabin semaphore viaduct'.split(
    ' '
  )

export class DocumentFolder {
  readonly #folder: string
  readonly #texts = new Map<string, string>()
  #written = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The texts that have to be in the index. */
  get texts(): ReadonlySet<string> {
    return new Set(this.#texts.values())
  }

  /** Texts that were written so far, those that are no more included. */
  get written(): number {
    return this.#written
  }

  /** @returns the names of the new files. */
  async drop(count: number): Promise<readonly string[]> {
    const names = Array.from({ length: count }, (_, index) => `note-${this.#written + index}.txt`)
    for (const name of names) await this.write(name)
    return names
  }

  /** A new file, or a new text for one that is there; it appears whole. */
  async write(name: string, text = this.#newText()): Promise<void> {
    this.#written++
    this.#texts.set(name, text)
    const unfinished = join(this.#folder, `.${name}`)
    await writeFile(unfinished, text)
    await rename(unfinished, join(this.#folder, name))
  }

  async remove(name: string): Promise<void> {
    this.#texts.delete(name)
    await rm(join(this.#folder, name))
  }

  #newText(): string {
    const number = this.#written
    const digest = createHash('sha256').update(String(number)).digest()
    const chosen = [...digest.subarray(0, 12)].map(byte => words[byte % words.length])
    return `Note ${number} of the signal box: ${chosen.join(' ')}.`
  }
}
