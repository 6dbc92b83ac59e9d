// What the control log says, read once and kept up with. All controllers read the same log, so all find the same.
import { Failure } from '@pointsman/core/domain/failure'
import type { Lane } from '@pointsman/core/domain/lane'
import type {
  ControlLog,
  ControlRecord,
  Opened,
  SwitchIntent,
  SwitchOutcome
} from '@pointsman/core/ports/control-log'
import type { LedgerState } from '@pointsman/core/ports/ledger'

export interface RecordedSwitch {
  readonly intent: SwitchIntent
  /** Offset of the intent, plus 1. */
  readonly epoch: number
  /** Undefined while it is under way. */
  readonly outcome: SwitchOutcome | undefined
}

/** A life of the ledger. */
export interface Life {
  readonly opened: Opened
  /** Offset of the record, plus 1. */
  readonly epoch: number
}

export interface Lanes {
  readonly defaultLane: Lane
  readonly lanes: ReadonlyMap<number, Lane>
}

export class ControlBook {
  readonly #log: ControlLog
  /** In the order of the log, and so of their epochs. */
  readonly #switches = new Map<string, RecordedSwitch>()
  /** In the order of the log. */
  readonly #lives: Life[] = []
  #next = 0n

  constructor(log: ControlLog) {
    this.#log = log
  }

  /** The epoch that the next record would give, at least. */
  get nextEpoch(): number {
    return Number(this.#next) + 1
  }

  /** Reads what was written since. @throws {Failure} of `ControlLog.read`. */
  async catchUp(signal: AbortSignal): Promise<void> {
    for (const { offset, record } of await this.#log.read(this.#next, signal)) {
      if (offset < this.#next) continue
      if (record !== undefined) this.#note(record, Number(offset) + 1)
      this.#next = offset + 1n
    }
  }

  /** Writes a record, and reads on up to it. @throws {Failure} it may have been written: look before it is repeated. */
  async append(record: ControlRecord, signal: AbortSignal): Promise<void> {
    await this.#log.append(record, signal)
    await this.catchUp(signal)
  }

  /**
   * Writes an intent. A write whose answer was lost is looked for before it is believed to have failed.
   * @throws {Failure} it is not there now; it may still come.
   */
  async record(intent: SwitchIntent, signal: AbortSignal): Promise<void> {
    try {
      await this.append(intent, signal)
    } catch (error) {
      await this.catchUp(signal)
      if (!this.#switches.has(intent.switchId)) throw error
    }
  }

  /**
   * Writes the first record of a log, without which no epoch would be above that of a new ledger.
   * @throws {Failure} `CONTROL_LOG_CUT` when the next record would have an epoch that the ledger has passed already.
   */
  async open(
    { defaultLane, epoch, ledgerId }: Pick<LedgerState, 'defaultLane' | 'epoch' | 'ledgerId'>,
    nowMs: number,
    signal: AbortSignal
  ): Promise<void> {
    if (this.#next === 0n && epoch === 1) {
      await this.append({ kind: 'opened', ledgerId, lane: defaultLane, because: '', atMs: nowMs }, signal)
    }
    if (this.nextEpoch > epoch) return
    const what = `the control log ends at ${this.#next}, and the ledger has epoch ${epoch}`
    throw new Failure('CONTROL_LOG_CUT', `${what}: the topic was truncated or made anew; restore it`)
  }

  find(switchId: string): RecordedSwitch | undefined {
    return this.#switches.get(switchId)
  }

  /** The last that began; undefined in a log that tells of none. */
  get life(): Life | undefined {
    return this.#lives.at(-1)
  }

  /** Ids of all ledgers that there were. */
  get ledgerIds(): ReadonlySet<string> {
    return new Set(this.#lives.map(({ opened }) => opened.ledgerId))
  }

  lifeOf(ledgerId: string): Life | undefined {
    return this.#lives.find(({ opened }) => opened.ledgerId === ledgerId)
  }

  /** Meant for a ledger that was given up since. */
  isVoid({ intent }: RecordedSwitch): boolean {
    return this.life !== undefined && this.life.opened.ledgerId !== intent.ledgerId
  }

  /** The lanes after the last switch that was completed; undefined in a log that tells of no life. */
  lanes(): Lanes | undefined {
    const made = [...this.#switches.values()].filter(({ outcome }) => outcome?.result === 'completed')
    const defaultLane = made.at(-1)?.intent.defaultLane ?? this.#lives[0]?.opened.lane
    if (defaultLane === undefined) return undefined
    // Also of partitions that no switch has moved: a share leaves them where they are, and the default is another.
    const lanes = new Map(made.flatMap(({ intent }) => [...intent.before, ...intent.lanes]))
    return { defaultLane, lanes }
  }

  /** The highest epoch that a ledger has had, as far as that is recorded; 0 for none. */
  get lastEpoch(): number {
    const made = [...this.#switches.values()].filter(({ outcome }) => outcome?.result === 'completed')
    return Math.max(0, this.life?.epoch ?? 0, ...made.map(({ epoch }) => epoch))
  }

  /** Intents without an outcome, the oldest first. */
  pending(): readonly RecordedSwitch[] {
    return [...this.#switches.values()].filter(({ outcome }) => outcome === undefined)
  }

  /** Those that have ended, the latest first. */
  ended(): readonly RecordedSwitch[] {
    return [...this.#switches.values()].filter(({ outcome }) => outcome !== undefined).toReversed()
  }

  #note(record: ControlRecord, epoch: number): void {
    if (record.kind === 'opened') {
      if (this.lifeOf(record.ledgerId) === undefined) this.#lives.push({ opened: record, epoch })
      return
    }
    const known = this.#switches.get(record.switchId)
    if (record.kind === 'intent') {
      if (known === undefined) {
        this.#switches.set(record.switchId, { intent: record, epoch, outcome: undefined })
      }
    } else if (known !== undefined && known.outcome === undefined) {
      this.#switches.set(record.switchId, { ...known, outcome: record })
    }
  }
}
