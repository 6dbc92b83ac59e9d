import type { FileHandle } from 'node:fs/promises'

const bufferBytes = 1_048_576
const newline = 0x0a

/** @param from - of the line in the buffer, which is used again; `offset` is its place in the file. */
export type VisitLine = (buffer: Buffer, from: number, to: number, offset: number) => void

/**
 * Visits every line of a file, without its end, some hundred at a time: others get their turn in between.
 * @param maxLineBytes - longer lines are not visited.
 * @returns how many were longer.
 */
export async function eachLine(
  handle: FileHandle,
  maxLineBytes: number,
  visit: VisitLine,
  signal: AbortSignal
): Promise<number> {
  let buffer = Buffer.allocUnsafeSlow(bufferBytes)
  /** Place of the buffer in the file, and how much of it is filled. */
  let base = 0
  let filled = 0
  let isTooLong = false
  let tooLong = 0
  for (;;) {
    signal.throwIfAborted()
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, base + filled)
    filled += bytesRead
    let from = 0
    for (let to = buffer.subarray(0, filled).indexOf(newline); to >= 0; ) {
      if (isTooLong) tooLong += 1
      else visit(buffer, from, to, base + from)
      isTooLong = false
      from = to + 1
      const next = buffer.subarray(from, filled).indexOf(newline)
      to = next < 0 ? -1 : from + next
    }
    if (bytesRead === 0) {
      if (from < filled) visit(buffer, from, filled, base + from)
      return isTooLong ? tooLong + 1 : tooLong
    }
    if (isTooLong || filled - from > maxLineBytes) {
      isTooLong = true
      from = filled
    }
    base += from
    buffer.copyWithin(0, from, filled)
    filled -= from
    if (filled * 2 > buffer.length) buffer = Buffer.concat([buffer.subarray(0, filled)], buffer.length * 2)
  }
}
