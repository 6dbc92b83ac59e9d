// The directory through which files pass. It may be shared by processes, vanish, and be lost: names carry the process
// and a number that was drawn when the spool was opened, so that what a dead process left behind is known and removed.
import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../../domain/failure.ts'
import { messageOf } from '../../runtime/message-of.ts'

const namePattern = /^pointsman-(\d+)-([0-9a-f]+)-\d+\.jsonl$/
const checkBytes = 1_048_576

/** A temporary file; it is there until it is disposed of. */
export interface SpoolFile extends AsyncDisposable {
  readonly path: string
  readonly handle: FileHandle
}

/** Spools of this process: what stands under another number of the same process is of a former life of it. */
const livingMarks = new Set<string>()

export class Spool {
  readonly #directory: string
  readonly #mark = randomBytes(4).toString('hex')
  #files = 0

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** Makes the directory when there is none and removes the files of dead processes. */
  static async open(directory: string): Promise<Spool> {
    const spool = new Spool(directory)
    livingMarks.add(spool.#mark)
    await guarded(directory, async () => {
      await mkdir(directory, { recursive: true })
      for (const name of await readdir(directory)) {
        if (isStray(name)) await rm(path.join(directory, name), { force: true })
      }
    })
    return spool
  }

  /** A new and empty file, open for reading and writing. */
  async create(): Promise<SpoolFile> {
    this.#files += 1
    const name = `pointsman-${process.pid}-${this.#mark}-${this.#files}.jsonl`
    const file = path.join(this.#directory, name)
    const handle = await this.guard(async () => {
      await mkdir(this.#directory, { recursive: true })
      return await open(file, 'wx+')
    })
    return {
      path: file,
      handle,
      async [Symbol.asyncDispose]() {
        await handle.close()
        // What cannot be removed now, on a disk that has become read-only, is removed as a stray one day.
        await rm(file, { force: true }).catch(() => undefined)
      }
    }
  }

  /** Writes a megabyte down to the disk and removes it. */
  async check(): Promise<void> {
    await using file = await this.create()
    await this.guard(async () => {
      // Not zeros: there are disks that take those for nothing.
      await file.handle.writeFile(randomBytes(checkBytes))
      await file.handle.sync()
    })
  }

  /** @throws {Failure} `SPOOL_UNAVAILABLE` for whatever the disk says. */
  async guard<Result>(use: () => Promise<Result>): Promise<Result> {
    return await guarded(this.#directory, use)
  }
}

async function guarded<Result>(directory: string, use: () => Promise<Result>): Promise<Result> {
  try {
    return await use()
  } catch (error) {
    const isOfNode = error instanceof Error && 'code' in error && typeof error.code === 'string'
    if (!isOfNode || error instanceof Failure) throw error
    throw new Failure('SPOOL_UNAVAILABLE', `${directory}: ${messageOf(error)}`, { cause: error })
  }
}

function isStray(name: string): boolean {
  const [, pid, mark] = namePattern.exec(name) ?? []
  if (pid === undefined || mark === undefined) return false
  return Number(pid) === process.pid ? !livingMarks.has(mark) : !isAlive(Number(pid))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
