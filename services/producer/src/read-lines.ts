/** A line without its end; `bytes` is undefined when the line was longer than allowed and was passed over. */
export interface Line {
  /** From 1. */
  readonly number: number
  readonly bytes: Buffer | undefined
}

const newline = 0x0a

/**
 * Lines of a stream of any length. Holds at most `maxLineBytes` and one chunk of the stream.
 * A line is valid until the next one is asked for.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes: number
): AsyncGenerator<Line> {
  let number = 0
  let pending: Buffer[] = []
  let pendingBytes = 0
  let tooLong = false

  const add = (part: Buffer): void => {
    pendingBytes += part.length
    tooLong ||= pendingBytes > maxLineBytes
    if (tooLong) pending = []
    else if (part.length > 0) pending.push(part)
  }
  const take = (): Line => {
    number += 1
    const bytes = tooLong ? undefined : pending.length === 1 ? pending[0] : Buffer.concat(pending)
    pending = []
    pendingBytes = 0
    tooLong = false
    return { number, bytes }
  }

  for await (const chunk of chunks) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let from = 0
    for (;;) {
      const end = buffer.indexOf(newline, from)
      if (end === -1) break
      add(buffer.subarray(from, end))
      yield take()
      from = end + 1
    }
    add(buffer.subarray(from))
  }
  if (pendingBytes > 0) yield take()
}
