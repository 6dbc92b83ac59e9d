import { isTraced, type TracedMethod } from '@pointsman/core/adapters/redis/trace'
import type { LedgerState } from '@pointsman/core/ports/ledger'
import { isSame, type Outcome } from './outcome.ts'
import { RecordedAnswers } from './recorded-answers.ts'
import { situationOf } from './situation.ts'
import { SpecifiedLedger } from './specified-ledger.ts'
import { readEntry, type TraceEntry } from './trace-entry.ts'
import { isStep } from './traced-step.ts'
import { Witness } from './witness.ts'

export interface Divergence {
  /** Of the file, from 1. */
  readonly line: number
  readonly because: string
  readonly entry: TraceEntry | undefined
  readonly recorded?: Outcome | undefined
  readonly specified?: Outcome | undefined
  /** What the specification knows of whatever the call names. */
  readonly situation?: unknown
}

export interface Replayed {
  readonly transitions: number
  readonly calls: Readonly<Record<string, number>>
  /** Answered with an error, as the specification does. */
  readonly refused: number
  /** Refused because the server was started anew or rolled back, which the specification knows nothing of. */
  readonly untold: number
  /** Ids of the ledgers, in their order. */
  readonly ledgers: readonly string[]
  /** Times that Redis was emptied. */
  readonly losses: number
  /** Times that Redis went on from an older copy. */
  readonly rollbacks: number
  /** Of the ledger of an older copy, which the specification does not have, until another one stands in its place. */
  readonly unfollowed: number
  readonly divergence: Divergence | undefined
}

/** Gives every call of a trace to the specification, until one is answered in another way. */
export async function replayTrace(lines: AsyncIterable<string>): Promise<Replayed> {
  const replay = new Replay()
  for await (const line of lines) {
    if (!(await replay.step(line))) break
  }
  return replay.result
}

class Replay {
  readonly #specified = new SpecifiedLedger()
  readonly #recorded = new RecordedAnswers()
  readonly #calls = new Map<string, number>()
  readonly #ledgers: string[] = []
  readonly #witness = new Witness()
  #line = 0
  #serial = 0
  #refused = 0
  #untold = 0
  #losses = 0
  #rollbacks = 0
  #unfollowed = 0
  #run = ''
  /** Id of the ledger of an older copy. */
  #adrift: string | undefined
  #divergence: Divergence | undefined

  get result(): Replayed {
    return {
      transitions: this.#line - (this.#divergence === undefined ? 0 : 1),
      calls: Object.fromEntries([...this.#calls].sort(([, a], [, b]) => b - a)),
      refused: this.#refused,
      untold: this.#untold,
      ledgers: this.#ledgers,
      losses: this.#losses,
      rollbacks: this.#rollbacks,
      unfollowed: this.#unfollowed,
      divergence: this.#divergence
    }
  }

  /** Whether to go on. */
  async step(line: string): Promise<boolean> {
    this.#line += 1
    let entry: TraceEntry | undefined
    try {
      entry = readEntry(line)
      await this.#take(entry)
    } catch (error) {
      this.#diverge(entry, {
        because: `not to be read: ${error instanceof Error ? error.message : String(error)}`
      })
    }
    return this.#divergence === undefined
  }

  async #take(entry: TraceEntry): Promise<void> {
    const { args, method } = entry.call
    if (!this.#isNext(entry)) {
      const because = `entry ${entry.serial} after ${this.#serial}: entries are missing, twice there or swapped`
      return this.#diverge(entry, { because })
    }
    this.#serial = entry.serial
    this.#run = entry.run
    if (!isTraced(method)) return this.#diverge(entry, { because: `no call is named ${method}` })
    this.#calls.set(method, (this.#calls.get(method) ?? 0) + 1)
    if (this.#adrift !== undefined && !(await this.#isFollowedAgain(entry))) this.#unfollowed += 1
    else await this.#compare(entry, method, args)
    this.#noteLedger(entry.ledger)
  }

  /** Whether it may follow upon the entry before; notes what must have become of Redis in between. */
  #isNext({ ledger, run, serial }: TraceEntry): boolean {
    if (serial === this.#serial + 1) return true
    if (serial === 1 && ledger !== this.#ledgers.at(-1)) {
      this.#losses += 1
      return true
    }
    if (run === this.#run || serial > this.#serial) return false
    this.#rollbacks += 1
    this.#adrift = ledger
    return true
  }

  /** With the first that is told of another ledger: it is as empty as the specification can know. */
  async #isFollowedAgain(entry: TraceEntry): Promise<boolean> {
    if (entry.call.method !== 'open' || entry.ledger === this.#adrift) return false
    const recorded = await this.#recorded.outcomeOf(entry, 'open', entry.call.args)
    if (recorded?.kind !== 'answered' || !isState(recorded.answer)) return false
    this.#adrift = undefined
    await this.#specified.begin(entry, recorded.answer)
    return true
  }

  async #compare(entry: TraceEntry, method: TracedMethod, args: readonly unknown[]): Promise<void> {
    const recorded = await this.#recorded.outcomeOf(entry, method, args)
    if (recorded === undefined) {
      this.#untold += 1
      return
    }
    const specified = await this.#specified.outcomeOf(entry, method, args)
    if (!isSame(recorded, specified)) {
      return this.#diverge(entry, {
        because: 'the answers differ',
        recorded,
        specified,
        ...(await this.#situation(args))
      })
    }
    if (this.#specified.ledgerId !== entry.ledger && recorded.kind === 'answered') {
      const because = `another ledger stands in Redis afterwards: ${entry.ledger}, not ${this.#specified.ledgerId}`
      return this.#diverge(entry, { because })
    }
    if (recorded.kind === 'refused') {
      this.#refused += 1
      return
    }
    const step = { method, args, answer: specified.kind === 'answered' ? specified.answer : undefined }
    const violated = isStep(step) ? this.#witness.see(step) : undefined
    if (violated !== undefined)
      this.#diverge(entry, { because: violated, recorded, ...(await this.#situation(args)) })
  }

  #noteLedger(ledgerId: string): void {
    if (ledgerId !== '' && this.#ledgers.at(-1) !== ledgerId) this.#ledgers.push(ledgerId)
  }

  async #situation(args: readonly unknown[]): Promise<{ readonly situation: unknown }> {
    return { situation: await situationOf(this.#specified.ledger, args) }
  }

  #diverge(entry: TraceEntry | undefined, rest: Omit<Divergence, 'line' | 'entry'>): void {
    this.#divergence = { line: this.#line, entry, ...rest }
  }
}

function isState(answer: unknown): answer is LedgerState {
  return typeof answer === 'object' && answer !== null && 'ledgerId' in answer
}
