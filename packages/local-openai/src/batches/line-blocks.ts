import { open } from 'node:fs/promises'

export interface Line {
  /** Where it begins in the file. */
  readonly from: number
  /** Without the line feed; valid until the next block is asked for. */
  readonly bytes: Buffer
}

const blockBytes = 128 * 1024
const lineFeed = 0x0a

/** The lines of a file in blocks of some 100 kB, so that others come to their turn between two. */
export async function* readLineBlocks(path: string): AsyncGenerator<readonly Line[]> {
  await using file = await open(path)
  let rest = Buffer.alloc(0)
  let restFrom = 0
  for (;;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(blockBytes), 0, blockBytes)
    const block = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
    const lines: Line[] = []
    let from = 0
    // What was left over holds no line feed.
    let to = block.indexOf(lineFeed, rest.length)
    for (; to !== -1; to = block.indexOf(lineFeed, from)) {
      lines.push({ from: restFrom + from, bytes: block.subarray(from, to) })
      from = to + 1
    }
    rest = block.subarray(from)
    restFrom += from
    if (bytesRead === 0) {
      if (rest.length > 0) lines.push({ from: restFrom, bytes: rest })
      yield lines
      return
    }
    yield lines
  }
}
