import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * Keeps other servers off the same data folder until disposed of: two would pay for the same lines. The lock is the
 * operating system's, taken through SQLite, so it ends with the process, however that ends.
 * @throws {Error} when another server has it.
 */
export function openDataLock(folder: string): Disposable {
  mkdirSync(folder, { recursive: true })
  const db = new DatabaseSync(join(folder, 'lock'), { timeout: 0 })
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    throw new Error(`another server uses the data folder ${folder}: end it, or take another folder`, {
      cause
    })
  }
  return { [Symbol.dispose]: () => db.close() }
}
