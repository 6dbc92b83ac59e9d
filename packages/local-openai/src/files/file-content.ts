import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'

/** The bytes of a file, to be sent as they are. */
export class FileContent {
  readonly bytes: number
  readonly #path: string

  constructor(path: string, bytes: number) {
    this.#path = path
    this.bytes = bytes
  }

  open(): Readable {
    return createReadStream(this.#path, { highWaterMark: 256 * 1024 })
  }

  /** All at once in memory: for faults that spoil it. */
  async read(): Promise<Buffer> {
    return await readFile(this.#path)
  }
}
