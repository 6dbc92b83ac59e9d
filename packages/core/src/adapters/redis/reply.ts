// Checked reading of what Redis answers. Another shape than the script's means that somebody else's data stands there.
import { Failure } from '../../domain/failure.ts'

export function asBytes(raw: unknown): Buffer {
  if (Buffer.isBuffer(raw)) return raw
  throw unexpected(raw)
}

/** Strings as they are, numbers as decimals. */
export function asText(raw: unknown): string {
  if (Buffer.isBuffer(raw)) return raw.toString()
  if (typeof raw === 'number') return String(raw)
  throw unexpected(raw)
}

export function asNumber(raw: unknown): number {
  const number = Number(asText(raw))
  if (Number.isSafeInteger(number)) return number
  throw unexpected(raw)
}

export function asOffset(raw: unknown): bigint {
  const text = asText(raw)
  if (/^\d+$/.test(text)) return BigInt(text)
  throw unexpected(raw)
}

export function asList(raw: unknown): readonly unknown[] {
  if (Array.isArray(raw)) return raw
  throw unexpected(raw)
}

/** A flat list cut into rows of `width`. */
export function asRows(raw: unknown, width: number): readonly (readonly unknown[])[] {
  const list = asList(raw)
  return Array.from({ length: Math.ceil(list.length / width) }, (_, row) =>
    list.slice(row * width, (row + 1) * width)
  )
}

/** A flat list of field, value, field, value. */
export function asFields(raw: unknown): ReadonlyMap<string, string> {
  return new Map(asRows(raw, 2).map(([field, value]) => [asText(field), asText(value)]))
}

export function fieldOf(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name)
  if (value === undefined) throw new Failure('LEDGER_FOREIGN', `redis: the ledger has no ${name}`)
  return value
}

/** @throws {Failure} `LEDGER_FOREIGN` unless `text` is one of `values`. */
export function oneOf<const Value extends string>(text: string, values: readonly Value[]): Value {
  const found = values.find(value => value === text)
  if (found === undefined)
    throw new Failure('LEDGER_FOREIGN', `redis: ${text} is none of ${values.join(', ')}`)
  return found
}

function unexpected(raw: unknown): Failure {
  return new Failure('LEDGER_FOREIGN', `redis answered what no script answers: ${JSON.stringify(raw)}`)
}
