// What the producer remembers of what it emitted, one SQLite database per namespace. The rules that make it safe to
// kill a run at any moment:
//   S1  Before a source is sent, its intent is stored: its new version, and every document id that may come to exist.
//   S2  Only after the acknowledgement is it stored as sent. A crash between the two repeats the same records.
//   S3  Entries are replaced only where they still have the version that was read: two runs that meet never leave an
//       entry that claims more than the log holds.
//   S4  Deleted sources keep their entry: a file that comes back takes a version above its tombstone's.
// If the database is lost, everything is emitted again, which the ledger answers with `unchanged`; files that were
// removed in between then go unnoticed.
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Failure } from '@pointsman/core/domain/failure'
import { messageOf } from '@pointsman/core/runtime/message-of'
import type { Entry } from './entry.ts'
import { RunScratch } from './run-scratch.ts'

const schemaVersion = 1
const chunkBytes = 8
/** Another run may be committing at this moment. */
const busyTimeoutMs = 30_000

const schema = `
  CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE origin (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE entry (
    id TEXT PRIMARY KEY,
    origin INTEGER NOT NULL,
    path TEXT NOT NULL,
    named INTEGER NOT NULL,
    elsewhere INTEGER NOT NULL,
    given INTEGER,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    acked INTEGER NOT NULL,
    chunks BLOB NOT NULL,
    whole INTEGER NOT NULL,
    parts INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX entry_of_origin ON entry (origin, id) WHERE whole = 1 OR parts > 0;
  PRAGMA user_version = ${schemaVersion};
`

export class EmittedStore implements Disposable {
  readonly #db: DatabaseSync
  readonly #origins = new Map<string, number>()
  readonly #names = new Map<number, string>()
  #isReading = false
  readonly #find: StatementSync
  readonly #replace: StatementSync
  readonly #settle: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#find = db.prepare('SELECT * FROM entry WHERE id = ?')
    this.#replace = db.prepare(`
      INSERT INTO entry (id, origin, path, named, elsewhere, given, version, content, acked, chunks, whole, parts)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET origin = excluded.origin, path = excluded.path, named = excluded.named,
        elsewhere = excluded.elsewhere, given = excluded.given, version = excluded.version,
        content = excluded.content, acked = excluded.acked, chunks = excluded.chunks, whole = excluded.whole,
        parts = excluded.parts
      WHERE entry.version = ?`)
    this.#settle = db.prepare(
      'UPDATE entry SET acked = 1, chunks = ?, whole = ?, parts = ? WHERE id = ? AND version = ?'
    )
  }

  /** Reads share one transaction, which is much faster, until `endReading` or the next write. */
  entry(id: string): Entry | undefined {
    this.#beginReading()
    const row = this.#find.get(id)
    return row === undefined ? undefined : this.#entryOf(row)
  }

  /**
   * Replaces entries in one transaction, each only where the version stored is still `from` (undefined: none stored).
   * @returns ids that were not replaced, because another run did so in between.
   */
  replace(
    changes: readonly { readonly from: number | undefined; readonly entry: Entry }[]
  ): readonly string[] {
    const refused: string[] = []
    this.#inTransaction(() => {
      for (const { from, entry } of changes) if (!this.#put(entry, from)) refused.push(entry.id)
    })
    return refused
  }

  /** Stores as sent what was intended (S2), where no other run has gone further since. */
  settle(entries: readonly Entry[]): void {
    this.#inTransaction(() => {
      for (const { id, version, chunks, whole, parts } of entries) {
        this.#settle.run(blobOf(chunks), Number(whole), parts, id, version)
      }
    })
  }

  /** Lets go of the state of the database that was read: it may be old by the time something more arrives. */
  endReading(): void {
    if (this.#isReading) this.#db.exec('COMMIT')
    this.#isReading = false
  }

  #beginReading(): void {
    if (!this.#isReading) this.#db.exec('BEGIN')
    this.#isReading = true
  }

  /** For temporary tables of whoever reads. */
  get database(): DatabaseSync {
    return this.#db
  }

  openScratch(): RunScratch {
    return new RunScratch(this.#db)
  }

  /** Sources of an origin that have documents and were not met by the run that has the scratch: by id, in pages. */
  unseen(origin: string, afterId: string, limit: number): readonly Entry[] {
    const query = `SELECT * FROM entry WHERE origin = ? AND (whole = 1 OR parts > 0) AND id > ?
      AND NOT EXISTS (SELECT 1 FROM temp.seen WHERE seen.id = entry.id) ORDER BY id LIMIT ?`
    this.endReading()
    const rows = this.#db.prepare(query).all(this.#knownNumberOf(origin) ?? -1, afterId, limit)
    return rows.map(row => this.#entryOf(row))
  }

  /** As `unseen`, of one file only. */
  unseenAt(origin: string, path: string, afterId: string, limit: number): readonly Entry[] {
    const query = `SELECT * FROM entry WHERE origin = ? AND path = ? AND (whole = 1 OR parts > 0) AND id > ?
      AND NOT EXISTS (SELECT 1 FROM temp.seen WHERE seen.id = entry.id) ORDER BY id LIMIT ?`
    this.endReading()
    const rows = this.#db.prepare(query).all(this.#knownNumberOf(origin) ?? -1, path, afterId, limit)
    return rows.map(row => this.#entryOf(row))
  }

  /** Makes single files quick to find. It costs space, and time at each write: for who follows them. */
  indexPaths(): void {
    this.endReading()
    this.#db.exec(
      'CREATE INDEX IF NOT EXISTS entry_of_path ON entry (origin, path, id) WHERE whole = 1 OR parts > 0'
    )
  }

  isKnownPath(origin: string, path: string): boolean {
    const query = 'SELECT 1 FROM entry WHERE origin = ? AND path = ? AND (whole = 1 OR parts > 0) LIMIT 1'
    return this.#db.prepare(query).get(this.#knownNumberOf(origin) ?? -1, path) !== undefined
  }

  isKnown(origin: string): boolean {
    return this.#knownNumberOf(origin) !== undefined
  }

  fact(name: string): string | undefined {
    const value = this.#db.prepare('SELECT value FROM fact WHERE name = ?').get(name)?.['value']
    return typeof value === 'string' ? value : undefined
  }

  setFact(name: string, value: string): void {
    this.endReading()
    this.#db.prepare('INSERT OR REPLACE INTO fact VALUES (?, ?)').run(name, value)
  }

  /** Nothing is known to be in the log any more: everything is emitted again, above the versions sent before. */
  forgetContents(): void {
    this.endReading()
    this.#db.exec(`UPDATE entry SET content = '', chunks = x'', acked = 0`)
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }

  #inTransaction(work: () => void): void {
    this.endReading()
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }

  #put(entry: Entry, from: number | undefined): boolean {
    const { changes } = this.#replace.run(
      entry.id,
      this.#numberOf(entry.origin),
      entry.path,
      Number(entry.named),
      Number(entry.elsewhere),
      entry.given ?? null,
      entry.version,
      entry.content,
      Number(entry.acked),
      blobOf(entry.chunks),
      Number(entry.whole),
      entry.parts,
      from ?? -1
    )
    return changes === 1
  }

  #numberOf(origin: string): number {
    const known = this.#knownNumberOf(origin)
    if (known !== undefined) return known
    this.#db.prepare('INSERT INTO origin (name) VALUES (?)').run(origin)
    return this.#knownNumberOf(origin) ?? -1
  }

  #knownNumberOf(origin: string): number | undefined {
    const known = this.#origins.get(origin)
    if (known !== undefined) return known
    const row = this.#db.prepare('SELECT number FROM origin WHERE name = ?').get(origin)
    if (row === undefined) return undefined
    const number = Number(row['number'])
    this.#origins.set(origin, number)
    this.#names.set(number, origin)
    return number
  }

  #nameOf(number: number): string {
    const known = this.#names.get(number)
    if (known !== undefined) return known
    const name = String(this.#db.prepare('SELECT name FROM origin WHERE number = ?').get(number)?.['name'])
    this.#names.set(number, name)
    return name
  }

  #entryOf(row: Readonly<Record<string, unknown>>): Entry {
    const given = row['given']
    return {
      id: String(row['id']),
      origin: this.#nameOf(Number(row['origin'])),
      path: String(row['path']),
      named: row['named'] === 1,
      elsewhere: row['elsewhere'] === 1,
      given: typeof given === 'number' ? given : undefined,
      version: Number(row['version']),
      content: String(row['content']),
      acked: row['acked'] === 1,
      chunks: chunksOf(row['chunks']),
      whole: row['whole'] === 1,
      parts: Number(row['parts'])
    }
  }
}

function blobOf(chunks: readonly string[]): Buffer {
  return Buffer.from(chunks.join(''), 'hex')
}

function chunksOf(blob: unknown): readonly string[] {
  if (!(blob instanceof Uint8Array)) return []
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength)
  return Array.from({ length: bytes.length / chunkBytes }, (_, i) =>
    bytes.toString('hex', i * chunkBytes, (i + 1) * chunkBytes)
  )
}

/**
 * Opens what is remembered for a namespace, and makes it when there is nothing yet.
 * @param directory - of the namespace; made when missing. May be moved while no run uses it.
 * @throws {Failure} `CONFIG_INVALID` when the directory cannot be used or holds something else.
 */
export function openEmittedStore(directory: string): EmittedStore {
  const file = fileOf(directory)
  let db: DatabaseSync | undefined
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    db = new DatabaseSync(file, { timeout: busyTimeoutMs })
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE')
    const found = versionOf(db)
    if (found === 0) db.exec(schema)
    db.exec('COMMIT')
    if (found !== 0) checkVersion(found)
    return new EmittedStore(db)
  } catch (cause) {
    db?.close()
    throw unusable(file, cause)
  }
}

/**
 * Opens what is remembered for a namespace, for looking only: nothing of it can be changed.
 * @param directory - of the namespace; undefined, or without a memory in it: nothing is remembered.
 * @throws {Failure} `CONFIG_INVALID` when there is something that cannot be used.
 */
export function readEmittedStore(directory: string | undefined): EmittedStore {
  const file = directory === undefined ? undefined : fileOf(directory)
  if (file === undefined || !existsSync(file)) {
    const db = new DatabaseSync(':memory:')
    db.exec(schema)
    return new EmittedStore(db)
  }
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs })
    checkVersion(versionOf(db))
    return new EmittedStore(db)
  } catch (cause) {
    db?.close()
    throw unusable(file, cause)
  }
}

function fileOf(directory: string): string {
  return join(directory, 'emitted.db')
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
}

function checkVersion(found: number): void {
  if (found === schemaVersion) return
  throw new Error(`it was written by another version of Pointsman (format ${found}, not ${schemaVersion})`)
}

function unusable(file: string, cause: unknown): Failure {
  const remedy = 'Set POINTSMAN_STATE_DIR, or move the file away: everything is then emitted again.'
  return new Failure(
    'CONFIG_INVALID',
    `cannot use the producer's state ${file}: ${messageOf(cause)}. ${remedy}`,
    { cause }
  )
}
