import type { Rejection } from './ingest-report.ts'

const maxTold = 100_000

/** Which rejections were told: one is told again only when its file has changed. */
export class ToldRejections {
  readonly #told = new Map<string, Set<string>>()
  #count = 0

  /** These have changed: what is wrong with them now is news. */
  forget(paths: Iterable<string>): void {
    for (const path of paths) {
      this.#count -= this.#told.get(path)?.size ?? 0
      this.#told.delete(path)
    }
  }

  /** @returns whether it was not told before; it counts as told from now on. */
  tell({ path, id, reason }: Rejection): boolean {
    const told = this.#told.get(path) ?? new Set()
    const name = JSON.stringify([id, reason])
    if (told.has(name)) return false
    // So many are told twice rather than remembered.
    if (this.#count >= maxTold) this.forget([...this.#told.keys()])
    this.#told.set(path, told.add(name))
    this.#count += 1
    return true
  }
}
