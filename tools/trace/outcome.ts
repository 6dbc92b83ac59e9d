// What came of a call: in the trace, and in the specification.
import { isDeepStrictEqual } from 'node:util'
import { Failure } from '@pointsman/core/domain/failure'

export type Outcome =
  | {
      readonly kind: 'answered'
      readonly answer: unknown
      /** The list of parts that belongs to the answer was too long for it, and is not known. */
      readonly isCutShort: boolean
    }
  | { readonly kind: 'refused'; readonly because: string }

export async function outcomeOf(call: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { kind: 'answered', answer: await call(), isCutShort: false }
  } catch (error) {
    if (error instanceof Failure) return { kind: 'refused', because: error.code }
    if (error instanceof RangeError) return { kind: 'refused', because: 'RangeError' }
    throw error
  }
}

export function isSame(recorded: Outcome, specified: Outcome): boolean {
  if (recorded.kind === 'refused' || specified.kind === 'refused')
    return isDeepStrictEqual(recorded, specified)
  const { isCutShort } = recorded
  return isDeepStrictEqual(plain(recorded.answer, isCutShort), plain(specified.answer, isCutShort))
}

/** Without members that are undefined: an adapter may leave them out. */
function plain(value: unknown, isCutShort: boolean): unknown {
  if (Array.isArray(value)) return value.map(item => plain(item, false))
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, plain(item, false)]))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  const compared = isCutShort ? members.filter(([name]) => name !== 'parts') : members
  return Object.fromEntries(compared.map(([name, member]) => [name, plain(member, false)]))
}
