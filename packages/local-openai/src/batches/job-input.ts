import { closeSync, openSync, readSync } from 'node:fs'
import { SeededRandom } from '../seeded-random.ts'
import { readLineBlocks } from './line-blocks.ts'

/** Shuffled with a seed, of which the same gives the same order; or as a fault wants it. */
export type LineOrder = number | 'input' | 'reversed' | 'swapped'

const blockLines = 64
const blockBytes = 256 * 1024

/**
 * The lines of a job in the order in which they run, which is not that of the file unless a fault wants it: neighbours make a block that is
 * read at once; the blocks are shuffled, and so are the lines of each.
 */
export class JobInput implements Disposable {
  readonly #descriptor: number
  /** Where the lines begin, in the order of the file, and where the last one ends. */
  readonly #starts: Uint32Array
  /** The first line of each block, and the number of all lines. */
  readonly #blocks: Uint32Array
  readonly #order: Uint32Array
  #buffer = Buffer.alloc(blockBytes)
  /** The lines in the buffer: from the first one to before the last one. */
  #held: readonly [number, number] = [0, 0]

  private constructor(descriptor: number, starts: Uint32Array, order: LineOrder) {
    this.#descriptor = descriptor
    this.#starts = starts
    this.#blocks = divide(starts)
    this.#order = arrangeLines(this.#blocks, order)
  }

  static async open(path: string, order: LineOrder): Promise<JobInput> {
    const starts: number[] = []
    let end = 0
    for await (const lines of readLineBlocks(path)) {
      for (const { bytes, from } of lines) {
        starts.push(from)
        end = from + bytes.length
      }
    }
    starts.push(end)
    return new JobInput(openSync(path, 'r'), Uint32Array.from(starts), order)
  }

  get lines(): number {
    return this.#order.length
  }

  /** The number of a line in the file, from 1. @param position - in the order in which the lines run. */
  numberAt(position: number): number {
    return (this.#order[position] ?? 0) + 1
  }

  /**
   * @param position - in the order in which the lines run.
   * @returns the line, valid until the next one is read; it may end with its line feed.
   */
  read(position: number): Buffer {
    const line = this.#order[position] ?? 0
    if (line < this.#held[0] || line >= this.#held[1]) this.#load(line)
    const base = this.#starts[this.#held[0]] ?? 0
    return this.#buffer.subarray((this.#starts[line] ?? 0) - base, (this.#starts[line + 1] ?? 0) - base)
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
  }

  #load(line: number): void {
    const block = this.#blocks.findLastIndex(first => first <= line)
    const held = [this.#blocks[block] ?? 0, this.#blocks[block + 1] ?? 0] as const
    const from = this.#starts[held[0]] ?? 0
    const length = (this.#starts[held[1]] ?? 0) - from
    if (length > this.#buffer.length) this.#buffer = Buffer.alloc(length)
    for (let read = 0; read < length; ) {
      const got = readSync(this.#descriptor, this.#buffer, read, length - read, from + read)
      if (got === 0) throw new Error('the input of a job has become shorter')
      read += got
    }
    this.#held = held
  }
}

function divide(starts: Uint32Array): Uint32Array {
  const lines = starts.length - 1
  const firsts: number[] = []
  let first = 0
  for (let line = 0; line < lines; line++) {
    const isFull = line - first >= blockLines || (starts[line + 1] ?? 0) - (starts[first] ?? 0) > blockBytes
    if (line > 0 && !isFull) continue
    first = line
    firsts.push(line)
  }
  return Uint32Array.from([...firsts, lines])
}

function arrangeLines(blocks: Uint32Array, order: LineOrder): Uint32Array {
  if (typeof order === 'number') return shuffleLines(blocks, new SeededRandom(order))
  const lines = blocks.at(-1) ?? 0
  const asInput = Uint32Array.from({ length: lines }, (_, index) => index)
  if (order === 'reversed') return asInput.reverse()
  if (order === 'input') return asInput
  // The last one of an odd number has no neighbour.
  return asInput.map(line => ((line ^ 1) < lines ? line ^ 1 : line))
}

function shuffleLines(blocks: Uint32Array, random: SeededRandom): Uint32Array {
  const order: number[] = []
  for (const block of shuffledOrder(blocks.length - 1, random)) {
    const first = blocks[block] ?? 0
    for (const line of shuffledOrder((blocks[block + 1] ?? 0) - first, random)) order.push(first + line)
  }
  return Uint32Array.from(order)
}

function shuffledOrder(count: number, random: SeededRandom): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index)
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1))
    const held = order[last] ?? 0
    order[last] = order[other] ?? 0
    order[other] = held
  }
  return order
}
