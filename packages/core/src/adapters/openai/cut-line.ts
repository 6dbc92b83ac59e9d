// A line of a result file, parsed. Nearly all of it is the vector: that is cut out before, so that neither eight
// kilobytes of base64 nor fifteen hundred numbers go through JSON.parse when only the rest is asked for.

const name = Buffer.from('"embedding"')
const [quote, colon, bracket, backslash] = Buffer.from('":[\\')
const blanks = new Set(Buffer.from(' \t\r\n'))

/** Stands where the vector was; JSON writes it with an escape, so no provider's text looks like it by chance. */
export const cutMark = '\u0000cut'
const cutJson = JSON.stringify(cutMark)

export interface CutLine {
  /** The line, with `cutMark` where the vector was if one was cut. */
  readonly json: unknown
  /** Bytes of the vector: base64 without its quotes, or an array with its brackets. */
  readonly vector: { readonly from: number; readonly to: number } | undefined
}

/** @returns undefined when the bytes are not JSON. */
export function cutLine(buffer: Buffer, from: number, to: number): CutLine | undefined {
  const vector = onlyVector(buffer, from, to)
  if (vector !== undefined) {
    const isText = buffer[vector.from] !== bracket
    // The quotes go with the text that they enclose.
    const [before, behind] = isText ? [vector.from - 1, vector.to + 1] : [vector.from, vector.to]
    const json = parsed(buffer.toString('utf8', from, before) + cutJson + buffer.toString('utf8', behind, to))
    if (json !== undefined) return { json, vector }
  }
  const json = parsed(buffer.toString('utf8', from, to))
  return json === undefined ? undefined : { json, vector: undefined }
}

/** Where the value of the key `embedding` stands; undefined unless there is just one that can be cut. */
function onlyVector(buffer: Buffer, from: number, to: number): CutLine['vector'] {
  let found: CutLine['vector']
  for (let at = indexOf(buffer, name, from, to); at >= 0; ) {
    const value = valueOf(buffer, at + name.length, to)
    if (value !== undefined) {
      if (found !== undefined) return undefined
      found = value
    }
    at = indexOf(buffer, name, value?.to ?? at + 1, to)
  }
  return found
}

function valueOf(buffer: Buffer, at: number, end: number): CutLine['vector'] {
  const beforeColon = skipBlanks(buffer, at, end)
  if (beforeColon >= end || buffer[beforeColon] !== colon) return undefined
  const opening = skipBlanks(buffer, beforeColon + 1, end)
  if (opening >= end) return undefined
  return buffer[opening] === quote ? textAt(buffer, opening, end) : listAt(buffer, opening, end)
}

function textAt(buffer: Buffer, opening: number, end: number): CutLine['vector'] {
  const closing = indexOf(buffer, '"', opening + 1, end)
  // A quote behind a backslash need not be the closing one.
  if (closing < 0 || buffer[closing - 1] === backslash) return undefined
  return { from: opening + 1, to: closing }
}

function listAt(buffer: Buffer, opening: number, end: number): CutLine['vector'] {
  const closing = buffer[opening] === bracket ? indexOf(buffer, ']', opening + 1, end) : -1
  // Only numbers: neither texts, which may hold brackets, nor lists.
  if (closing < 0 || indexOf(buffer, '"', opening, closing) >= 0) return undefined
  return indexOf(buffer, '[', opening + 1, closing) < 0 ? { from: opening, to: closing + 1 } : undefined
}

/** Within a line: the buffer goes on behind it. */
function indexOf(buffer: Buffer, what: string | Buffer, from: number, to: number): number {
  const at = buffer.subarray(from, to).indexOf(what)
  return at < 0 ? -1 : from + at
}

function skipBlanks(buffer: Buffer, from: number, end: number): number {
  let at = from
  while (at < end && blanks.has(buffer[at] ?? 0)) at += 1
  return at
}

function parsed(text: string): unknown {
  try {
    const json: unknown = JSON.parse(text)
    return json
  } catch {
    return undefined
  }
}
