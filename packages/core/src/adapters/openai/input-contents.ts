// What an input file is about, read at the provider: up to 200 MB go by, of which a few bytes a line are looked at. No
// text is decoded, and nothing is written down: whoever rebuilds a ledger has neither time nor disk for that.
import { parseCustomId } from '../../domain/custom-id.ts'
import { Failure } from '../../domain/failure.ts'
import type { Digest } from '../../domain/identity.ts'
import { type DownloadFrom, isCut, maxTries, sizeOf, streamFile } from './download.ts'
import { longestCustomId } from './input-file.ts'

/** How every line of ours begins. */
const opening = Buffer.from('{"custom_id":"')
const newline = 0x0a
const atOnce = 512

/**
 * The payment keys of the lines of an input file, in its order. Lines that are not ours are left out. A file that is cut
 * is fetched again, and goes on where it was; nothing is given twice.
 * @throws {Failure} `JOB_GONE`; `EMBED_UNAVAILABLE` when it keeps coming short; and as every call.
 */
export async function* inputContents(
  from: DownloadFrom,
  fileId: string,
  signal: AbortSignal
): AsyncGenerator<readonly Digest[]> {
  const bytes = await sizeOf(from, fileId, signal)
  let given = 0
  for (let tries = 1; ; tries += 1) {
    const lines = new LineHeads(given)
    try {
      for await (const chunk of streamFile(from, fileId, signal)) {
        lines.read(chunk)
        if (lines.contents - given < atOnce) continue
        given = lines.contents
        yield lines.take()
      }
      if (!lines.isWhole(bytes)) {
        throw new Failure('EMBED_UNAVAILABLE', `file ${fileId} came as ${lines.bytes} of its ${bytes} bytes`)
      }
      if (lines.contents > given) yield lines.take()
      return
    } catch (error) {
      if (tries === maxTries || !isCut(error)) throw error
    }
  }
}

/** Finds the lines in the bytes as they come, and keeps the beginning of the one that is being read. */
class LineHeads {
  bytes = 0
  /** Lines of ours so far. */
  contents = 0
  readonly #skipped: number
  readonly #head = Buffer.alloc(opening.length + longestCustomId + 1)
  #filled = 0
  #endsLine = true
  readonly #found: Digest[] = []

  /** @param skipped - lines of ours that an earlier try has given. */
  constructor(skipped: number) {
    this.#skipped = skipped
  }

  read(chunk: Uint8Array): void {
    this.bytes += chunk.byteLength
    for (let from = 0; from < chunk.byteLength; ) {
      const end = chunk.indexOf(newline, from)
      const to = end < 0 ? chunk.byteLength : end
      const kept = chunk.subarray(from, Math.min(to, from + this.#head.length - this.#filled))
      this.#head.set(kept, this.#filled)
      this.#filled += kept.byteLength
      this.#endsLine = end >= 0
      if (this.#endsLine) this.#endLine()
      from = to + 1
    }
  }

  /** Those found since it was asked last. */
  take(): readonly Digest[] {
    return this.#found.splice(0)
  }

  /** @param bytes - of the file; undefined when the provider does not say: ours end with a line feed. */
  isWhole(bytes: number | undefined): boolean {
    if (bytes === undefined) return this.bytes > 0 && this.#endsLine
    if (this.bytes !== bytes) return false
    if (!this.#endsLine) this.#endLine()
    return true
  }

  #endLine(): void {
    const head = this.#head.subarray(0, this.#filled)
    this.#filled = 0
    if (!head.subarray(0, opening.length).equals(opening)) return
    const closing = head.indexOf('"', opening.length)
    const content = parseCustomId(head.toString('latin1', opening.length, Math.max(0, closing)))?.content
    if (content === undefined) return
    this.contents += 1
    if (this.contents > this.#skipped) this.#found.push(content)
  }
}
