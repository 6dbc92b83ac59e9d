// The files of one root as they were at the last look, and as they were when they were read. It lives as long as the
// process, in a database that spills to disk: a folder may hold many millions of files. What is acted upon:
//   F1  A change counts when two looks, at least `stillMs` apart, found the same: what is being written, or is moved or
//       replaced by way of a removal, is left in peace until then. No clock but ours is asked.
//   F2  What never comes to rest is read all the same after `longestMs`, and again so long after that.
//   F3  A file counts as read in the state of the look before it was read: if it changed since, the next look tells.
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Changes } from './followed.ts'

export interface FileMemoryOptions {
  readonly stillMs: number
  readonly longestMs: number
}

/** Begins the print of what could not be read; the reason follows. */
const refusal = '!'

const isDue = 'found IS NOT taken AND (sinceMs <= :stillSinceMs OR firstMs <= :longSinceMs)'

export class FileMemory implements Disposable {
  readonly #options: FileMemoryOptions
  readonly #db = new DatabaseSync('')
  readonly #same: StatementSync
  readonly #differs: StatementSync
  readonly #below: StatementSync
  readonly #isMoving: StatementSync
  #look = 0
  #nowMs = 0

  constructor(options: FileMemoryOptions) {
    this.#options = options
    this.#db.exec(`
      PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32768;
      CREATE TABLE file (
        path TEXT PRIMARY KEY, taken TEXT, found TEXT, sinceMs INTEGER NOT NULL, firstMs INTEGER NOT NULL,
        look INTEGER NOT NULL, due INTEGER NOT NULL DEFAULT 0
      ) WITHOUT ROWID`)
    this.#same = this.#db.prepare('UPDATE file SET look = ? WHERE path = ? AND found = ?')
    this.#differs = this.#db.prepare(`
      INSERT INTO file (path, taken, found, sinceMs, firstMs, look) VALUES (:path, NULL, :found, :nowMs, :nowMs, :look)
      ON CONFLICT (path) DO UPDATE SET found = excluded.found, sinceMs = excluded.sinceMs, look = excluded.look,
        firstMs = CASE WHEN found IS taken THEN excluded.firstMs ELSE firstMs END`)
    this.#below = this.#db.prepare('UPDATE file SET look = ? WHERE path > ? AND path < ?')
    this.#isMoving = this.#db.prepare(
      'SELECT 1 FROM file WHERE path = ? AND found IS NOT taken AND due = 0 LIMIT 1'
    )
  }

  beginLook(nowMs: number): void {
    this.#look += 1
    this.#nowMs = nowMs
    this.#db.exec('BEGIN')
  }

  /** @param print - tells one state of the file from another. */
  meet(path: string, print: string): void {
    if (this.#same.run(this.#look, path, print).changes === 1) return
    this.#differs.run({ path, found: print, nowMs: this.#nowMs, look: this.#look })
  }

  /** A place below the root that cannot be looked into: what was known of it stays as it is. */
  meetRefused(path: string, reason: string): void {
    this.meet(path, refusal + reason)
    // '0' comes after '/'.
    this.#below.run(this.#look, `${path}/`, `${path}0`)
  }

  /** The look came to its end: what it did not meet is gone. Without this it counts for nothing but what it met. */
  endLook(): void {
    const { stillMs, longestMs } = this.#options
    this.#db
      .prepare(`
        UPDATE file SET found = NULL, sinceMs = :nowMs, look = :look,
          firstMs = CASE WHEN found IS taken THEN :nowMs ELSE firstMs END
        WHERE look <> :look AND found IS NOT NULL`)
      .run({ nowMs: this.#nowMs, look: this.#look })
    this.#db.exec('DELETE FROM file WHERE found IS NULL AND taken IS NULL')
    this.#db.prepare(`UPDATE file SET due = 1 WHERE ${isDue}`).run({
      stillSinceMs: this.#nowMs - stillMs,
      longSinceMs: this.#nowMs - longestMs
    })
    this.abandonLook()
  }

  /** The root went away under the look. */
  abandonLook(): void {
    if (this.#db.isTransaction) this.#db.exec('COMMIT')
  }

  /** What is to be read now, or is gone for good (F1, F2). */
  changes(): Changes {
    const found = new Map<string, string | undefined>()
    const gone = new Set<string>()
    for (const row of this.#db.prepare('SELECT path, found FROM file WHERE due = 1').iterate()) {
      const path = String(row['path'])
      const print = row['found']
      if (typeof print !== 'string') gone.add(path)
      else found.set(path, print.startsWith(refusal) ? print.slice(refusal.length) : undefined)
    }
    return { found, gone }
  }

  isMoving(path: string): boolean {
    return this.#isMoving.get(path) !== undefined
  }

  /** Whether something differs that has not come to rest. */
  isAnyMoving(): boolean {
    return (
      this.#db.prepare('SELECT 1 FROM file WHERE found IS NOT taken AND due = 0 LIMIT 1').get() !== undefined
    )
  }

  /** The changes were read (F3). */
  take(): void {
    this.#db.exec(`
      UPDATE file SET taken = found, due = 0 WHERE due = 1;
      DELETE FROM file WHERE found IS NULL AND taken IS NULL`)
  }

  /** Reads these again, though they have not changed. */
  forget(paths: Iterable<string>): void {
    const forget = this.#db.prepare(`UPDATE file SET taken = '' WHERE path = ? AND found IS NOT NULL`)
    for (const path of paths) forget.run(path)
  }

  /** Files, and places that cannot be looked into. */
  get size(): number {
    return Number(this.#db.prepare('SELECT count(*) AS n FROM file WHERE found IS NOT NULL').get()?.['n'])
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }
}
