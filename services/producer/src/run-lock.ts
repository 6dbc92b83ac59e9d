import { hash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Failure } from '@pointsman/core/domain/failure'

/**
 * Keeps other runs off the same root until disposed of. The lock is the operating system's, taken through SQLite, so
 * it ends with the process, however that ends.
 * @throws {Failure} `RUN_ACTIVE` when another run has it.
 */
export function openRunLock(directory: string, origin: string): Disposable {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const db = new DatabaseSync(join(directory, `${hash('sha256', origin, 'hex').slice(0, 32)}.lock`), {
    timeout: 0
  })
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    throw new Failure(
      'RUN_ACTIVE',
      `another run is reading or following ${origin}: wait until it has ended, or stop it`,
      {
        cause
      }
    )
  }
  return { [Symbol.dispose]: () => db.close() }
}
