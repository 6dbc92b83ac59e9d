const maxDepth = 64
const shortBytes = 16_384

/**
 * Whether brackets nest deeper than any document needs. Asked of the raw bytes: a parser given 50 MB of `[` takes
 * gigabytes before it answers. Short texts cannot nest deep enough to hurt.
 */
export function isNestedTooDeep(bytes: Buffer): boolean {
  if (bytes.length <= shortBytes) return false
  let depth = 0
  let inString = false
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i]
    if (inString) {
      if (byte === 0x5c) i += 1
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1
      if (depth > maxDepth) return true
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1
  }
  return false
}

const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** @returns why a value cannot be metadata; undefined when it can. */
export function problemOfMetadata(value: unknown, depth = 0): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (depth >= maxDepth) return `the metadata is nested deeper than ${maxDepth}`
  for (const [key, inner] of Object.entries(value)) {
    if (forbiddenKeys.has(key)) return `the metadata has a key "${key}"`
    const problem = problemOfMetadata(inner, depth + 1)
    if (problem !== undefined) return problem
  }
  return undefined
}
