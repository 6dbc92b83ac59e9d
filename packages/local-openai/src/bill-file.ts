import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { z } from 'zod'

/** One paid request. `inputs` is 16 bytes of each text's SHA-256, in base64. */
const recordSchema = z.object({
  kind: z.literal('realtime'),
  atMs: z.number(),
  model: z.string(),
  dimensions: z.number().int(),
  nanoUsdPerToken: z.number(),
  tokens: z.array(z.number().int()),
  inputs: z.base64()
})

export type BillRecord = Readonly<z.output<typeof recordSchema>>

/**
 * The bill on disk: one JSON line per paid request, written before the answer is sent. The
 * process may be killed at any moment; a line cut by that was not answered and is dropped.
 * (Not synced: it survives the process, not the machine.)
 */
export class BillFile implements Disposable {
  readonly #descriptor: number

  private constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /** @throws {Error} when a whole line is not a record of this version. */
  static open(path: string, replay: (record: BillRecord) => void): BillFile {
    const descriptor = openSync(path, 'a+')
    const bytes = readFileSync(path)
    const end = bytes.lastIndexOf(0x0a) + 1
    if (end < bytes.length) ftruncateSync(descriptor, end)
    for (let from = 0; from < end; ) {
      const to = bytes.indexOf(0x0a, from)
      replay(parseRecord(bytes.toString('utf8', from, to), `${path}, byte ${from}`))
      from = to + 1
    }
    return new BillFile(descriptor)
  }

  append(record: BillRecord): void {
    writeSync(this.#descriptor, `${JSON.stringify(record)}\n`)
  }

  clear(): void {
    ftruncateSync(this.#descriptor, 0)
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
  }
}

function parseRecord(line: string, place: string): BillRecord {
  try {
    return recordSchema.parse(JSON.parse(line))
  } catch (cause) {
    throw new Error(`${place}: not a line of a bill of this version`, { cause })
  }
}
