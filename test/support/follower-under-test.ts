// A producer that follows folders, on the memory log and real files, with a clock that stands still until a test lets the
// next look come.
import { MemoryLogAdmin } from '@pointsman/core/adapters/memory/event-log-admin'
import type { Document } from '@pointsman/core/domain/document'
import type { Clock } from '@pointsman/core/ports/clock'
import { follow, type FollowDeps } from '../../services/producer/src/follow.ts'
import { FollowBoard } from '../../services/producer/src/follow-board.ts'
import { defaultIngestOptions, type IngestOptions } from '../../services/producer/src/ingest-options.ts'
import type { IngestEvent, IngestReport } from '../../services/producer/src/ingest-report.ts'
import { openRunLock } from '../../services/producer/src/run-lock.ts'
import { ProducerUnderTest, recordingWriter } from './producer-under-test.ts'

export const intervalMs = 5_000
export const stillMs = 1_000

/** Versions of files are times, so it begins where time is. */
class RestingClock implements Clock {
  #nowMs = Date.now()
  #resting = Promise.withResolvers<void>()
  #wake: (() => void) | undefined
  sleptMs = 0

  nowMs(): number {
    return this.#nowMs
  }

  random(): number {
    return 0.5
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (ms === 0) return Promise.resolve()
    const slept = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => slept.reject(signal.reason), { once: true })
    this.sleptMs = ms
    this.#wake = () => {
      this.#nowMs += ms
      slept.resolve()
    }
    this.#resting.resolve()
    return slept.promise
  }

  /** Resolves when somebody sleeps. */
  rest(): Promise<void> {
    return this.#resting.promise
  }

  wake(): void {
    this.#resting = Promise.withResolvers()
    this.#wake?.()
  }
}

export interface FollowChanges {
  readonly options?: Partial<IngestOptions>
  readonly deps?: Partial<FollowDeps>
}

export class FollowerUnderTest implements AsyncDisposable {
  readonly producer = new ProducerUnderTest()
  readonly clock = new RestingClock()
  readonly board = new FollowBoard(this.clock)
  readonly events: IngestEvent[] = []
  #sent: Document[] = []
  #reports: IngestReport[] = []
  readonly #stop = new AbortController()
  #ended: Promise<void> = Promise.resolve()

  /** Resolves after the first look. */
  async start(paths: readonly string[] = [this.producer.root], changes: FollowChanges = {}): Promise<void> {
    const { producer, clock, board, events } = this
    const writer = recordingWriter([])
    const deps: FollowDeps = {
      writer: { ...writer, write: async documents => void this.#sent.push(...documents) },
      log: new MemoryLogAdmin(producer.log),
      logId: 'memory',
      store: producer.store,
      lock: origin => openRunLock(producer.state, origin),
      extractor: producer.extractor,
      clock,
      standardInput: (async function* () {})(),
      tell: event => void events.push(event),
      board,
      show: report => void this.#reports.push(report),
      ...changes.deps
    }
    const options = { ...defaultIngestOptions, ...changes.options }
    this.#ended = follow(paths, deps, options, { intervalMs, stillMs }, this.#stop.signal)
    await this.#rest()
  }

  /** One look more, and what follows from it. */
  async look(): Promise<void> {
    this.clock.wake()
    await this.#rest()
  }

  /** Looks until everything is still. */
  async settle(): Promise<void> {
    do await this.look()
    while (this.clock.sleptMs < intervalMs)
  }

  /** What was sent since the last time that this was asked, by id: text, or undefined where it was deleted. */
  takeSent(): Readonly<Record<string, string | undefined>> {
    const sent = this.#sent
    this.#sent = []
    return Object.fromEntries(sent.map(({ docId, text, deleted }) => [docId, deleted ? undefined : text]))
  }

  /** The rounds that were told since the last time that this was asked. */
  takeReports(): readonly IngestReport[] {
    const reports = this.#reports
    this.#reports = []
    return reports
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#ended
  }

  async #rest(): Promise<void> {
    await Promise.race([this.clock.rest(), this.#ended])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#ended.catch(() => undefined)
    await this.producer[Symbol.asyncDispose]()
  }
}
