import { closeSync, openSync, readSync } from 'node:fs'
import { SeededRandom } from '../seeded-random.ts'
import { readLineBlocks } from './line-blocks.ts'

/** The lines of a job in the order in which they run, which is not that of the file. */
export class JobInput implements Disposable {
  readonly #descriptor: number
  /** Where the lines begin, in the order of the file, and where the last one ends. */
  readonly #starts: Uint32Array
  readonly #order: Uint32Array
  #buffer = Buffer.alloc(64 * 1024)

  private constructor(descriptor: number, starts: Uint32Array, order: Uint32Array) {
    this.#descriptor = descriptor
    this.#starts = starts
    this.#order = order
  }

  /** @param seed - of the order: the same seed gives the same one. */
  static async open(path: string, seed: number): Promise<JobInput> {
    const starts: number[] = []
    let end = 0
    for await (const lines of readLineBlocks(path)) {
      for (const { bytes, from } of lines) {
        starts.push(from)
        end = from + bytes.length
      }
    }
    const order = shuffledOrder(starts.length, seed)
    return new JobInput(openSync(path, 'r'), Uint32Array.from([...starts, end]), order)
  }

  get lines(): number {
    return this.#order.length
  }

  /**
   * @param position - in the order in which the lines run.
   * @returns the line, valid until the next one is read; it may end with its line feed.
   */
  read(position: number): Buffer {
    const line = this.#order[position] ?? 0
    const from = this.#starts[line] ?? 0
    const length = (this.#starts[line + 1] ?? from) - from
    if (length > this.#buffer.length) this.#buffer = Buffer.alloc(length * 2)
    const read = readSync(this.#descriptor, this.#buffer, 0, length, from)
    return this.#buffer.subarray(0, read)
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
  }
}

function shuffledOrder(count: number, seed: number): Uint32Array {
  const random = new SeededRandom(seed)
  const order = Uint32Array.from({ length: count }, (_, index) => index)
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1))
    const held = order[last] ?? 0
    order[last] = order[other] ?? 0
    order[other] = held
  }
  return order
}
