// How much memory the embedder holds while a backlog drains.
import { medianOf, rounded } from './support/spread.ts'
import { peakRssMbOf, rssMbOf } from './support/process-usage.ts'

export interface RssCurve {
  /** The highest that the system saw. */
  readonly maxMb: number
  /** One value every `everySeconds`. */
  readonly curveMb: readonly number[]
  readonly everySeconds: number
  /** Median of the last third over that of the middle third: 1 is flat, more grows. */
  readonly flatness: number
}

const sampleMs = 250
const everySeconds = 5

export class RssRecorder {
  readonly #samples: number[] = []
  #pid = 0
  #timer: NodeJS.Timeout | undefined

  start(pid: number): void {
    this.#pid = pid
    this.#timer = setInterval(() => this.#sample(), sampleMs)
    this.#sample()
  }

  /** While the process still runs. */
  stop(): RssCurve {
    clearInterval(this.#timer)
    this.#sample()
    const samples = this.#samples
    const third = Math.floor(samples.length / 3)
    const everySamples = (everySeconds * 1_000) / sampleMs
    return {
      maxMb: rounded(peakRssMbOf(this.#pid) ?? Math.max(...samples), 0),
      curveMb: samples.filter((_, index) => index % everySamples === 0).map(mb => rounded(mb, 0)),
      everySeconds,
      flatness: rounded(medianOf(samples.slice(-third)) / medianOf(samples.slice(third, -third)), 3)
    }
  }

  #sample(): void {
    const mb = rssMbOf(this.#pid)
    if (mb !== undefined) this.#samples.push(mb)
  }
}
