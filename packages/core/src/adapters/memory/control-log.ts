// The control log in memory. It keeps what Kafka would be sent, so what cannot be stored or read there cannot here. What
// tests do to a real broker (outages, lost answers, truncation) are methods.
import { Failure } from '../../domain/failure.ts'
import type { ControlLog, ControlRecord, StoredControlRecord } from '../../ports/control-log.ts'
import { decodeControlRecord, encodeControlRecord } from '../../runtime/control-record.ts'
import { controlLogCut } from '../../runtime/control-log-cut.ts'

export class MemoryControlLog implements ControlLog {
  #start = 0n
  /** The text at index i has offset `start + i`. */
  #texts: string[] = []
  #isUp = true
  #losesAnswer = false

  async prepare(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#requireUp()
  }

  async append(record: ControlRecord, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const text = encodeControlRecord(record)
    this.#requireUp()
    this.appendText(text)
    if (!this.#losesAnswer) return
    this.#losesAnswer = false
    throw new Failure('LOG_UNAVAILABLE', 'the answer of the control log was lost')
  }

  async read(from: bigint, signal: AbortSignal): Promise<readonly StoredControlRecord[]> {
    signal.throwIfAborted()
    this.#requireUp()
    const start = this.#start
    const end = start + BigInt(this.#texts.length)
    if (from < start || from > end) throw controlLogCut('the control log', from, { start, end })
    return this.#texts
      .slice(Number(from - start))
      .map((text, index) => ({ offset: from + BigInt(index), record: decodeControlRecord(text) }))
  }

  /** As somebody else might write it. */
  appendText(text: string): void {
    this.#texts.push(text)
  }

  /** From now on every call fails, and nothing is written. */
  beginOutage(): void {
    this.#isUp = false
  }

  endOutage(): void {
    this.#isUp = true
  }

  /** The next append is written, and fails. */
  loseNextAnswer(): void {
    this.#losesAnswer = true
  }

  /** Records from `end` on are gone; at 0 the topic is as if made anew. */
  truncate(end: bigint): void {
    this.#texts = this.#texts.slice(0, Math.max(Number(end - this.#start), 0))
    if (end < this.#start) this.#start = end
  }

  /** Records below `start` are gone, as after retention. */
  trim(start: bigint): void {
    this.#texts = this.#texts.slice(Math.max(Number(start - this.#start), 0))
    if (start > this.#start) this.#start = start
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held open.
  }

  #requireUp(): void {
    if (!this.#isUp) throw new Failure('LOG_UNAVAILABLE', 'the control log does not answer')
  }
}
