// What becomes of calls: most are carried out and answered; for a while, some of those to one target have trouble.
import { Failure, type FailureCode } from '@pointsman/core/domain/failure'
import type { Target, Trouble } from './plan.ts'
import type { Random } from './random.ts'

interface Window {
  readonly trouble: Trouble
  readonly share: number
  readonly untilMs: number
}

const unknownOutcome: Readonly<Record<Target, FailureCode>> = {
  ledger: 'LEDGER_UNAVAILABLE',
  store: 'STORE_UNAVAILABLE',
  embedder: 'EMBED_OUTCOME_UNKNOWN',
  provider: 'EMBED_OUTCOME_UNKNOWN',
  log: 'LOG_UNAVAILABLE',
  control: 'LOG_UNAVAILABLE'
}

/** Kafka numbers the writes of a producer, and a late one does not overtake: only others come late. */
const neverLate: ReadonlySet<Target> = new Set(['log'])

export class Weather {
  readonly #random: Random
  readonly #windows = new Map<Target, Window[]>()

  constructor(random: Random) {
    this.#random = random
  }

  begin(target: Target, window: Window): void {
    this.#windows.set(target, [...(this.#windows.get(target) ?? []), window])
  }

  clear(): void {
    this.#windows.clear()
  }

  troubleOf(target: Target, nowMs: number): Trouble | undefined {
    const windows = this.#windows.get(target)
    if (windows === undefined) return undefined
    for (const { share, trouble, untilMs } of windows) {
      if (nowMs >= untilMs || !this.#random.chance(share)) continue
      if (trouble === 'twice' && target !== 'ledger') return 'slow'
      return trouble === 'late' && neverLate.has(target) ? 'lose-answer' : trouble
    }
    return undefined
  }

  failureOf(target: Target, trouble: Trouble): Failure {
    if (trouble !== 'refuse') return new Failure(unknownOutcome[target], `no answer (${trouble})`)
    if (target !== 'embedder' && target !== 'provider') {
      return new Failure(unknownOutcome[target], 'refused')
    }
    return this.#random.chance(0.5)
      ? new Failure('EMBED_RATE_LIMITED', 'status 429', { retryAfterMs: this.#random.int(10, 800) })
      : new Failure('EMBED_UNAVAILABLE', 'connection refused')
  }
}
