import type { Digest } from '../../domain/identity.ts'
import { Failure } from '../../domain/failure.ts'
import { type DownloadFrom, streamFile } from './download.ts'
import { contentOfInputLine } from './input-file.ts'

/**
 * What the lines of an input file are about, by number from 1. Reads the file at the provider, no further than needed: the
 * ledger knows what a job holds, but not in which order it was written.
 * @returns without those that cannot be told.
 */
export async function namedLines(
  from: DownloadFrom,
  fileId: string,
  numbers: ReadonlySet<number>,
  signal: AbortSignal
): Promise<ReadonlyMap<number, Digest>> {
  const found = new Map<number, Digest>()
  const lastLine = Math.max(0, ...numbers)
  if (lastLine === 0) return found
  try {
    let number = 0
    for await (const line of linesOf(streamFile(from, fileId, signal))) {
      number += 1
      const content = numbers.has(number) ? contentOfInputLine(line) : undefined
      if (content !== undefined) found.set(number, content)
      if (number === lastLine) break
    }
  } catch (error) {
    // Whether it can be read later is for the caller to find out: without it, whole jobs would be blamed for a line.
    if (!(error instanceof Failure) || (error.code !== 'JOB_GONE' && error.code !== 'EMBED_REFUSED'))
      throw error
  }
  return found
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
