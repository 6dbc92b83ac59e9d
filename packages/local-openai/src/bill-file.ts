import { z } from 'zod'
import { JsonLog } from './json-log.ts'

const paid = {
  dimensions: z.number().int(),
  tokens: z.array(z.number().int()),
  /** 16 bytes of each text's SHA-256. */
  inputs: z.base64()
}

/** One paid request, or the paid lines of one stretch of a job. */
const recordSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('realtime'),
    atMs: z.number(),
    model: z.string(),
    nanoUsdPerToken: z.number(),
    ...paid
  }),
  z.object({
    kind: z.literal('batch'),
    atMs: z.number(),
    model: z.string(),
    nanoUsdPerToken: z.number(),
    job: z.string(),
    /** How many lines of the job are settled with this record, in the order in which they run. */
    settledLines: z.number().int(),
    /** What was paid, by the length of the vectors. */
    parts: z.array(z.object(paid))
  })
])

export type BillRecord = Readonly<z.output<typeof recordSchema>>

/** The bill on disk: one JSON line per record, written before the answer is sent. */
export class BillFile implements Disposable {
  readonly #log: JsonLog

  /** @throws {Error} when a whole line is not a record of this version. */
  constructor(path: string, replay: (record: BillRecord) => void) {
    this.#log = JsonLog.open(path, value => replay(recordSchema.parse(value)))
  }

  append(record: BillRecord): void {
    this.#log.append(record)
  }

  clear(): void {
    this.#log.clear()
  }

  [Symbol.dispose](): void {
    this.#log[Symbol.dispose]()
  }
}
