// An entry of a trace, and the line of a file that it is: JSON, so that people can search in it; the reply alone is as
// Redis packed it.
import { decode } from '@msgpack/msgpack'
import { readTraced, type TracedCall, writeTraced } from '@pointsman/core/adapters/redis/trace-call'
import { z } from 'zod'

export interface TraceEntry {
  /** From 1 on, as long as the store is not emptied. */
  readonly serial: number
  /** Ledger time in milliseconds. */
  readonly at: number
  /** Id of the life of the server; empty if it does not tell. */
  readonly run: string
  /** Id of the ledger after the call; empty without one. */
  readonly ledger: string
  /** Begins with the id of the ledger that the caller knew; empty before it knew one. */
  readonly known: string
  readonly call: TracedCall
  /** MessagePack, in base64. */
  readonly reply: string
}

const callSchema = z.object({ method: z.string(), args: z.array(z.unknown()), by: z.string() })
const schema = z.object({
  serial: z.number(),
  at: z.number(),
  run: z.string(),
  ledger: z.string(),
  known: z.string(),
  call: callSchema,
  reply: z.base64()
})

export function writeEntry(entry: TraceEntry): string {
  return writeTraced(entry)
}

/** @throws {Error} the line is no entry. */
export function readEntry(line: string): TraceEntry {
  return schema.parse(readTraced(line))
}

/** @throws {Error} the text is no call. */
export function readTracedCall(text: string): TracedCall {
  return callSchema.parse(readTraced(text))
}

/** An error that a script answered. */
export class Refusal {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What a client of Redis would have been answered: strings as Buffers. */
export function replyOf({ reply }: TraceEntry): unknown {
  return asAnswered(decode(Buffer.from(reply, 'base64'), { rawStrings: true }))
}

function asAnswered(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (Array.isArray(value)) return value.map(asAnswered)
  if (value === false || value === null) return null
  if (typeof value === 'object' && 'err' in value) return new Refusal(String(asAnswered(value.err)))
  return value
}
