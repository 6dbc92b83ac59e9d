// Memory of a process by how many documents it has dealt with: does it hold more after many than after few?
import { medianOf, rounded } from './support/spread.ts'
import { rssMbOf } from './support/process-usage.ts'

const parts = 8

export class RssByDocuments {
  readonly #pid: number
  readonly #documents: number
  readonly #samples: (readonly [done: number, mb: number])[] = []

  constructor(pid: number, documents: number) {
    this.#pid = pid
    this.#documents = documents
  }

  /** Memory when so many are done. */
  note(done: number): void {
    const mb = rssMbOf(this.#pid)
    if (mb !== undefined) this.#samples.push([done, mb])
  }

  /** Medians over each eighth of the documents. An eighth that went by unseen is left out. */
  get curveMb(): readonly number[] {
    const eighths = Map.groupBy(this.#samples, ([done]) =>
      Math.min(parts - 1, Math.floor((done * parts) / this.#documents))
    )
    return [...eighths]
      .toSorted(([a], [b]) => a - b)
      .map(([, samples]) => rounded(medianOf(samples.map(([, mb]) => mb)), 0))
  }

  /** Median of the last quarter of the documents over that of the second: 1 is flat, more grows. */
  get flatness(): number {
    return rounded(this.#medianBetween(0.75, 1) / this.#medianBetween(0.25, 0.5), 3)
  }

  #medianBetween(from: number, to: number): number {
    const within = this.#samples.filter(
      ([done]) => done > from * this.#documents && done <= to * this.#documents
    )
    return medianOf(within.map(([, mb]) => mb))
  }
}
