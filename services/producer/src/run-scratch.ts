import type { DatabaseSync, StatementSync } from 'node:sqlite'

/**
 * What one run has met so far: ids, and paths of which it cannot say what they hold. Kept in temporary tables that
 * spill to disk, since a run may meet many millions; gone with the connection. One run at a time has it.
 */
export class RunScratch implements Disposable {
  readonly #db: DatabaseSync
  readonly #see: StatementSync
  readonly #doubt: StatementSync
  readonly #doubted: StatementSync
  #anyDoubt = false

  constructor(db: DatabaseSync) {
    this.#db = db
    db.exec(`
      PRAGMA temp.journal_mode = OFF; PRAGMA temp.cache_size = -32768;
      CREATE TEMP TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID;
      CREATE TEMP TABLE doubted (path TEXT PRIMARY KEY) WITHOUT ROWID`)
    this.#see = db.prepare('INSERT OR IGNORE INTO temp.seen VALUES (?)')
    this.#doubt = db.prepare('INSERT OR IGNORE INTO temp.doubted VALUES (?)')
    this.#doubted = db.prepare('SELECT 1 FROM temp.doubted WHERE path = ?')
  }

  /** @returns false when the id was met before in this run. */
  see(id: string): boolean {
    return this.#see.run(id).changes === 1
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
    this.#db.exec('DROP TABLE temp.seen; DROP TABLE temp.doubted')
  }
}
