import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'

/**
 * A file of JSON lines that only grows. The process may be killed at any moment: a line that was cut by
 * that is dropped at the next start. (Not synced: it survives the process, not the machine.)
 */
export class JsonLog implements Disposable {
  readonly #descriptor: number

  private constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /**
   * @param replay - gets each whole line, parsed.
   * @throws {Error} naming the place when a whole line is not JSON, or when `replay` throws.
   */
  static open(path: string, replay: (value: unknown) => void): JsonLog {
    const descriptor = openSync(path, 'a+')
    try {
      const bytes = readFileSync(path)
      const end = bytes.lastIndexOf(0x0a) + 1
      if (end < bytes.length) ftruncateSync(descriptor, end)
      for (let from = 0; from < end; ) {
        const to = bytes.indexOf(0x0a, from)
        replayLine(bytes.toString('utf8', from, to), `${path}, byte ${from}`, replay)
        from = to + 1
      }
      return new JsonLog(descriptor)
    } catch (error) {
      closeSync(descriptor)
      throw error
    }
  }

  /** Once this returns, a kill of the process does not lose the value. */
  append(value: unknown): void {
    writeSync(this.#descriptor, `${JSON.stringify(value)}\n`)
  }

  clear(): void {
    ftruncateSync(this.#descriptor, 0)
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
  }
}

function replayLine(line: string, place: string, replay: (value: unknown) => void): void {
  try {
    replay(JSON.parse(line))
  } catch (cause) {
    throw new Error(`${place}: not a line of this version`, { cause })
  }
}
