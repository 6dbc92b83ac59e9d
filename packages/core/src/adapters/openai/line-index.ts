// Where the lines of result files stand, by payment key: a few bytes a line, so that the files may be as large as they are.
import type { FileHandle } from 'node:fs/promises'
import { parseCustomId } from '../../domain/custom-id.ts'
import type { Digest } from '../../domain/identity.ts'
import { cutLine } from './cut-line.ts'
import { eachLine, type VisitLine } from './each-line.ts'
import { fieldOf } from './field.ts'

/** A line of 3072 floats has some 70 kB; whatever is longer than this is nobody's. */
const maxLineBytes = 4_194_304
const blanks = new Set(Buffer.from(' \t\r'))
const byteOrderMark = Buffer.from('\ufeff')

export interface LinePlace {
  /** Number of the file, in the order in which they were added. */
  readonly file: number
  readonly offset: number
  readonly bytes: number
}

export class LineIndex {
  lines = 0
  strangers = 0
  repeats = 0
  /** Number of the first line of a payment key. */
  readonly #first = new Map<Digest, number>()
  /** Numbers of further lines. */
  readonly #further = new Map<Digest, readonly number[]>()
  readonly #handles: FileHandle[] = []
  readonly #offsets: number[] = []
  readonly #bytes: number[] = []
  readonly #files: number[] = []

  /** Reads a file once, from its beginning to its end. */
  async add(handle: FileHandle, signal: AbortSignal): Promise<void> {
    const file = this.#handles.push(handle) - 1
    const visit: VisitLine = (buffer, from, to, offset) => {
      const marked =
        offset === 0 && buffer.subarray(from, Math.min(from + 3, to)).equals(byteOrderMark) ? 3 : 0
      if (isBlank(buffer, from + marked, to)) return
      this.#note(contentOf(buffer, from + marked, to), file, offset + marked, to - from - marked)
    }
    const tooLong = await eachLine(handle, maxLineBytes, visit, signal)
    this.lines += tooLong
    this.strangers += tooLong
  }

  /** Every line of a payment key, in the order of the files. */
  placesOf(content: Digest): readonly LinePlace[] {
    const first = this.#first.get(content)
    if (first === undefined) return []
    return [first, ...(this.#further.get(content) ?? [])].map(line => ({
      file: this.#files[line] ?? 0,
      offset: this.#offsets[line] ?? 0,
      bytes: this.#bytes[line] ?? 0
    }))
  }

  handleOf({ file }: LinePlace): FileHandle {
    const handle = this.#handles[file]
    if (handle === undefined) throw new RangeError(`no file ${file}`)
    return handle
  }

  #note(content: Digest | undefined, file: number, offset: number, bytes: number): void {
    this.lines += 1
    if (content === undefined) {
      this.strangers += 1
      return
    }
    const line = this.#offsets.push(offset) - 1
    this.#bytes.push(bytes)
    this.#files.push(file)
    if (this.#first.has(content)) {
      this.repeats += 1
      this.#further.set(content, [...(this.#further.get(content) ?? []), line])
    } else {
      this.#first.set(content, line)
    }
  }
}

/** The payment key that a line names; undefined when it is not JSON or not ours. */
function contentOf(buffer: Buffer, from: number, to: number): Digest | undefined {
  const customId = fieldOf(cutLine(buffer, from, to)?.json, 'custom_id')
  return typeof customId === 'string' ? parseCustomId(customId)?.content : undefined
}

function isBlank(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (!blanks.has(buffer[at] ?? 0)) return false
  return true
}
