import type { Clock } from '@pointsman/core/ports/clock'
import { FileMemory } from './file-memory.ts'
import type { IngestOptions } from './ingest-options.ts'
import { lookAtRoot } from './look-at-root.ts'
import type { LooseEnds } from './loose-ends.ts'
import type { Root } from './resolve-sources.ts'

/** What could not be read for reasons that lie outside of it is tried again after so long. */
const againAfterMs = 60_000
/** What never comes to rest is read all the same after so long. */
const longestMs = 60_000

/**
 * A root from one round to the next. Most rounds read what changed; all of it is read at first, when a round finds that
 * only that can tell what becomes of a text, and when it became empty or is no longer: the rule for a folder in which
 * nothing is left is that of a run.
 */
export class FollowedRoot implements Disposable {
  readonly #memory: FileMemory
  readonly #clock: Clock
  #isWhole = true
  #isFirst = true
  #device: number | undefined
  #keep: string | undefined
  #again: ReadonlySet<string> = new Set()
  #againAtMs = 0
  #changed: readonly string[] = []

  /** @param stillMs - how long a file has to be as it is before it is read. */
  constructor(clock: Clock, stillMs: number) {
    this.#clock = clock
    this.#memory = new FileMemory({ stillMs, longestMs })
  }

  get files(): number {
    return this.#memory.size
  }

  /** Something is to be done that has not been. */
  get isUnsettled(): boolean {
    return this.#isWhole || this.#memory.isAnyMoving()
  }

  /** Paths that differ, of the last look. */
  get changed(): readonly string[] {
    return this.#changed
  }

  /**
   * @returns the root as it is to be read now; `still` when nothing is to be read, and `away` when it could not be looked
   *   into.
   */
  async look(
    root: Root,
    { only }: Pick<IngestOptions, 'only'>,
    signal: AbortSignal
  ): Promise<Root | 'still' | 'away'> {
    const memory = this.#memory
    const isAgain = this.#again.size > 0 && this.#clock.nowMs() >= this.#againAtMs
    if (isAgain) memory.forget(this.#again)
    const wasEmpty = memory.size === 0
    if (!(await lookAtRoot(root, memory, { only }, this.#clock, signal))) return 'away'
    if (!this.#isFirst && wasEmpty !== (memory.size === 0)) this.#isWhole = true
    this.#isFirst = false
    this.#notePlace(root)

    const changes = memory.changes()
    const paths = [...changes.found.keys(), ...changes.gone]
    this.#changed = isAgain ? paths.filter(path => !this.#again.has(path)) : paths
    if (paths.length === 0 && (!this.#isWhole || memory.isAnyMoving())) return 'still'
    const isMoving = (path: string): boolean => memory.isMoving(path)
    const followed = { changes: this.#isWhole ? undefined : changes, isMoving, keep: this.#keep }
    return { ...root, followed }
  }

  /** The round that read what `look` returned has come to its end. */
  settle(origin: string, looseEnds: LooseEnds): void {
    this.#memory.take()
    this.#isWhole = looseEnds.isWholeWanted(origin)
    const again = looseEnds.againIn(origin)
    if (this.#clock.nowMs() < this.#againAtMs) {
      this.#again = this.#again.union(again)
      return
    }
    this.#again = again
    this.#againAtMs = this.#clock.nowMs() + againAfterMs
  }

  readWhole(): void {
    this.#isWhole = true
  }

  /** A disk may have come or gone at this place. */
  #notePlace({ origin, device }: Root): void {
    if (this.#device !== undefined && this.#device !== device) {
      this.#keep = `${origin} is on another disk than before: texts not found there are kept, until the next start`
      this.#isWhole = true
    }
    this.#device = device
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]()
  }
}
