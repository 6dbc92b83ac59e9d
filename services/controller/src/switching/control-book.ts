// What the control log says, read once and kept up with. All controllers read the same log, so all find the same.
import type {
  ControlLog,
  ControlRecord,
  SwitchIntent,
  SwitchOutcome
} from '@pointsman/core/ports/control-log'

export interface RecordedSwitch {
  readonly intent: SwitchIntent
  /** Offset of the intent, plus 1. */
  readonly epoch: number
  /** Undefined while it is under way. */
  readonly outcome: SwitchOutcome | undefined
}

export class ControlBook {
  readonly #log: ControlLog
  /** In the order of the log, and so of their epochs. */
  readonly #switches = new Map<string, RecordedSwitch>()
  #next = 0n

  constructor(log: ControlLog) {
    this.#log = log
  }

  /** Nothing was ever recorded. */
  get isEmpty(): boolean {
    return this.#next === 0n
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

  find(switchId: string): RecordedSwitch | undefined {
    return this.#switches.get(switchId)
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
    if (record.kind === 'opened') return
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
