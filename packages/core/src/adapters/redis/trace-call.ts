// A call of the ledger as text: JSON, with bigints and maps, which it does not have, under names of their own.
const bigintName = '#bigint'
const mapName = '#map'

export interface TracedCall {
  readonly method: string
  readonly args: readonly unknown[]
  /** Who called. */
  readonly by: string
}

/** Undefined members are left out, and undefined elements are null. */
export function writeTraced(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === 'bigint') return { [bigintName]: member.toString() }
    if (member instanceof Map) return { [mapName]: [...member] }
    return member
  })
}

/** What `writeTraced` was given. @throws {SyntaxError} it is no JSON. */
export function readTraced(text: string): unknown {
  return JSON.parse(text, (_, member: unknown) => {
    if (member === null) return undefined
    if (typeof member !== 'object') return member
    if (bigintName in member && typeof member[bigintName] === 'string') return BigInt(member[bigintName])
    if (mapName in member && Array.isArray(member[mapName])) return new Map(member[mapName])
    return member
  })
}
