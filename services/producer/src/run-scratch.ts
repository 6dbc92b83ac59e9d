import { DatabaseSync, type StatementSync } from 'node:sqlite'

/**
 * What one run has met so far: ids, and paths of which it cannot say what they hold. Kept in a temporary database that
 * spills to disk, since a run may meet many millions; gone with the process.
 */
export class RunScratch implements Disposable {
  readonly #db = new DatabaseSync('')
  readonly #see: StatementSync
  readonly #seen: StatementSync
  readonly #doubt: StatementSync
  readonly #doubted: StatementSync
  #anyDoubt = false

  constructor() {
    this.#db.exec(`
      PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32768;
      CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID;
      CREATE TABLE doubted (path TEXT PRIMARY KEY) WITHOUT ROWID;
      BEGIN`)
    this.#see = this.#db.prepare('INSERT OR IGNORE INTO seen VALUES (?)')
    this.#seen = this.#db.prepare('SELECT 1 FROM seen WHERE id = ?')
    this.#doubt = this.#db.prepare('INSERT OR IGNORE INTO doubted VALUES (?)')
    this.#doubted = this.#db.prepare('SELECT 1 FROM doubted WHERE path = ?')
  }

  /** @returns false when the id was met before in this run. */
  see(id: string): boolean {
    return this.#see.run(id).changes === 1
  }

  hasSeen(id: string): boolean {
    return this.#seen.get(id) !== undefined
  }

  /** What `path`, or anything below it, holds could not be read: nothing of it may be taken for gone. Empty: all. */
  doubt(origin: string, path: string): void {
    this.#anyDoubt = true
    this.#doubt.run(`${origin}\0${path}`)
  }

  isDoubted(origin: string, path: string): boolean {
    if (!this.#anyDoubt) return false
    for (let prefix = path; ; prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')))) {
      if (this.#doubted.get(`${origin}\0${prefix}`) !== undefined) return true
      if (prefix === '') return false
    }
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }
}
