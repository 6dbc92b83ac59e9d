// A record of the control log as text: JSON with `format: 1`, bigints as strings, maps as objects. Written once and read
// for ever, also by versions that come later; nothing that is read is trusted.
import { z } from 'zod'
import type { ControlRecord, Opened, SwitchIntent, SwitchOutcome } from '../ports/control-log.ts'

/** Of a record. A version that means something else by a field must count it up. */
const format = 1

const lane = z.enum(['realtime', 'batch'])
const count = z.int().nonnegative()
const bigint = z.codec(z.string().regex(/^\d{1,19}$/), z.bigint(), { decode: BigInt, encode: String })

/** A map by partition. JSON has only strings for keys. */
function byPartition<Text, Value>(value: z.ZodType<Value, Text>) {
  return z.codec(
    z.record(z.string().regex(/^(0|[1-9]\d{0,8})$/), value),
    z.custom<ReadonlyMap<number, Value>>(given => given instanceof Map),
    {
      decode: object => new Map(Object.entries(object).map(([key, each]) => [Number(key), each])),
      encode: map => Object.fromEntries([...map].map(([key, each]) => [String(key), each]))
    }
  )
}

const opened = z.object({
  kind: z.literal('opened'),
  ledgerId: z.string(),
  lane,
  because: z.string().default(''),
  atMs: z.number()
}) satisfies z.ZodType<Opened>

const intent = z.object({
  kind: z.literal('intent'),
  switchId: z.string(),
  ledgerId: z.string(),
  expectedEpoch: count,
  target: lane,
  strategy: z.enum(['detach', 'drain', 'force']),
  share: z.number().gt(0).lte(1),
  lanes: byPartition(lane),
  before: byPartition(lane),
  defaultLane: lane,
  deadlineMs: z.number(),
  actor: z.string(),
  reason: z.string(),
  atMs: z.number()
}) satisfies z.ZodType<SwitchIntent>

const outcome = z.object({
  kind: z.literal('outcome'),
  switchId: z.string(),
  epoch: count,
  result: z.enum(['completed', 'aborted', 'refused']),
  because: z.string(),
  actor: z.string(),
  atMs: z.number(),
  tookMs: z.number(),
  frontiers: byPartition(bigint),
  released: count,
  cancelled: count
}) satisfies z.ZodType<SwitchOutcome>

const record = z.discriminatedUnion('kind', [opened, intent, outcome])
const envelope = z.object({ format: z.literal(format) })

/** @throws {RangeError} for what would not come back as it is: a number that is none, a share above 1. */
export function encodeControlRecord(given: ControlRecord): string {
  const encoded = z.safeEncode(record, given)
  if (!encoded.success) throw new RangeError(z.prettifyError(encoded.error))
  return JSON.stringify({ format, ...encoded.data })
}

/** Undefined for anything that this version cannot read; fields that it does not know are left out. Never throws. */
export function decodeControlRecord(text: string): ControlRecord | undefined {
  const parsed = parseJson(text)
  return envelope.safeParse(parsed).success ? record.safeParse(parsed).data : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
