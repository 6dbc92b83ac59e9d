// The results of a job: two files on this machine, an index of their lines, and the few lines that are asked for.
import type { Digest } from '../../domain/identity.ts'
import type { JobResults, LineOutcome } from '../../ports/batch-provider.ts'
import type { VectorBytes } from '../../ports/embedder.ts'
import { cutLine } from './cut-line.ts'
import { type LinePlace, LineIndex } from './line-index.ts'
import { outcomeOf } from './line-outcome.ts'
import type { Spool, SpoolFile } from './spool.ts'

/** Lines that are nearer to each other than this are read at once, gap included. */
const gapBytes = 16_384
const maxReadBytes = 1_048_576
const readsAtOnce = 4

/** Of two lines of one payment key the better one counts: a vector is paid for, a refusal is final. */
const ranks: Readonly<Record<LineOutcome['kind'], number>> = { vector: 0, rejected: 1, failed: 2 }

interface Wanted extends LinePlace {
  readonly content: Digest
  /** Number among the lines of this call; says where its vector goes. */
  readonly slot: number
}

export class OpenaiJobResults implements JobResults {
  readonly lines: number
  readonly strangers: number
  readonly repeats: number
  readonly #index: LineIndex
  readonly #files: readonly SpoolFile[]
  readonly #spool: Spool
  readonly #dimensions: number
  /** Of vectors that were read: only these are ours to give back. */
  readonly #blocks = new WeakSet<ArrayBufferLike>()

  private constructor(index: LineIndex, files: readonly SpoolFile[], spool: Spool, dimensions: number) {
    this.lines = index.lines
    this.strangers = index.strangers
    this.repeats = index.repeats
    this.#index = index
    this.#files = files
    this.#spool = spool
    this.#dimensions = dimensions
  }

  /** Reads the files through once. They are the results' own from then on, and removed with them. */
  static async open(
    files: readonly SpoolFile[],
    spool: Spool,
    dimensions: number,
    signal: AbortSignal
  ): Promise<OpenaiJobResults> {
    const index = new LineIndex()
    for (const { handle } of files) await spool.guard(() => index.add(handle, signal))
    return new OpenaiJobResults(index, files, spool, dimensions)
  }

  async read(contents: readonly Digest[]): Promise<ReadonlyMap<Digest, LineOutcome>> {
    const wanted = [...new Set(contents)]
      .flatMap(content => this.#index.placesOf(content).map(place => ({ ...place, content })))
      .map((place, slot) => ({ ...place, slot }))
    const slotBytes = this.#dimensions * 4
    const { buffer: block } = Buffer.allocUnsafeSlow(wanted.length * slotBytes)
    this.#blocks.add(block)
    const outcomes: (LineOutcome | undefined)[] = []
    const visit = (place: Wanted, buffer: Buffer, from: number): void => {
      const line = cutLine(buffer, from, from + place.bytes)
      const slot = Buffer.from(block, place.slot * slotBytes, slotBytes)
      outcomes[place.slot] = line === undefined ? undefined : outcomeOf(line, buffer, slot)
    }
    const runs = runsOf(wanted).values()
    const readOn = async (): Promise<void> => {
      for (const run of runs) await this.#readRun(run, visit)
    }
    await Promise.all(Array.from({ length: readsAtOnce }, readOn))
    const found = new Map<Digest, LineOutcome>()
    for (const { content, slot } of wanted) {
      const [outcome, former] = [outcomes[slot], found.get(content)]
      if (outcome === undefined) continue
      if (former === undefined || ranks[outcome.kind] < ranks[former.kind]) found.set(content, outcome)
    }
    return found
  }

  release(vectors: Iterable<VectorBytes>): void {
    for (const { buffer } of vectors) {
      if (this.#blocks.delete(buffer) && buffer instanceof ArrayBuffer) buffer.transfer(0)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files) await file[Symbol.asyncDispose]()
  }

  async #readRun(
    run: readonly [Wanted, ...Wanted[]],
    visit: (place: Wanted, buffer: Buffer, from: number) => void
  ): Promise<void> {
    const [first] = run
    const last = run.at(-1) ?? first
    const bytes = last.offset + last.bytes - first.offset
    const buffer = Buffer.allocUnsafeSlow(bytes)
    await this.#spool.guard(() => this.#index.handleOf(first).read(buffer, 0, bytes, first.offset))
    for (const place of run) visit(place, buffer, place.offset - first.offset)
    // Not left to the garbage collector: it sees only the few bytes that point to it.
    buffer.buffer.transfer(0)
  }
}

/** Neighbours in a file together, in its order. */
function runsOf(wanted: readonly Wanted[]): readonly (readonly [Wanted, ...Wanted[]])[] {
  const runs: [Wanted, ...Wanted[]][] = []
  for (const place of wanted.toSorted((a, b) => a.file - b.file || a.offset - b.offset)) {
    const run = runs.at(-1)
    const [first, last] = [run?.[0], run?.at(-1)]
    const isNear =
      first?.file === place.file &&
      last !== undefined &&
      place.offset - (last.offset + last.bytes) < gapBytes &&
      place.offset + place.bytes - first.offset <= maxReadBytes
    if (isNear) run?.push(place)
    else runs.push([place])
  }
  return runs
}
