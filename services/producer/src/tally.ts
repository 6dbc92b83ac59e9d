import type { Document } from '@pointsman/core/domain/document'
import type { Clock } from '@pointsman/core/ports/clock'
import type { IngestEvent, IngestReport, Rejection } from './ingest-report.ts'

const progressEveryMs = 1000
const maxListed = 1000
const maxExtensions = 100

/** Counts a run, and tells of its progress at most once a second. */
export class Tally {
  readonly #clock: Clock
  readonly #tell: (event: IngestEvent) => void
  readonly #run: string | undefined
  readonly #isNews: (rejection: Rejection) => boolean
  readonly #startMs: number
  readonly #rejected: Rejection[] = []
  readonly #notices = new Set<string>()
  readonly #skipped = new Map<string, number>()
  #toldMs: number
  #told = 0
  #rejectedTotal = 0
  #emitted = 0
  #chunks = 0
  #tombstones = 0
  #tokens = 0
  #documents = 0
  #unchanged = 0
  #bytes = 0
  #kept = 0

  /** @param isNews - whether a rejection is to be told and counted. */
  constructor(
    run: string | undefined,
    clock: Clock,
    tell: (event: IngestEvent) => void,
    isNews: (rejection: Rejection) => boolean = () => true
  ) {
    this.#run = run
    this.#isNews = isNews
    this.#clock = clock
    this.#tell = tell
    this.#startMs = clock.nowMs()
    this.#toldMs = this.#startMs
  }

  read(bytes: number): void {
    this.#documents += 1
    this.#bytes += bytes
    this.#progress()
  }

  unchanged(): void {
    this.#unchanged += 1
  }

  kept(): void {
    this.#kept += 1
  }

  sent(documents: readonly Document[]): void {
    for (const { deleted, chunks, tokens } of documents) {
      if (deleted) this.#tombstones += 1
      else this.#emitted += 1
      if (chunks > 1) this.#chunks += 1
      this.#tokens += tokens
    }
    this.#progress()
  }

  reject(rejection: Rejection): void {
    if (!this.#isNews(rejection)) return
    const shown = {
      path: printable(rejection.path),
      ...(rejection.id === undefined ? {} : { id: printable(rejection.id) }),
      reason: printable(rejection.reason)
    }
    this.#rejectedTotal += 1
    if (this.#rejected.length < maxListed) this.#rejected.push(shown)
    this.#tell({ event: 'rejected', ...shown })
    this.#progress()
  }

  skip(extension: string): void {
    const name =
      this.#skipped.has(extension) || this.#skipped.size < maxExtensions ? printable(extension) : 'other'
    this.#skipped.set(name, (this.#skipped.get(name) ?? 0) + 1)
    this.#progress()
  }

  notice(text: string): void {
    this.#notices.add(printable(text))
  }

  report(stopped: boolean): IngestReport {
    return {
      event: 'report',
      run: this.#run,
      documents: this.#documents,
      unchanged: this.#unchanged,
      emitted: this.#emitted,
      chunks: this.#chunks,
      tombstones: this.#tombstones,
      tokens: this.#tokens,
      bytes: this.#bytes,
      rejected: this.#rejected,
      rejectedTotal: this.#rejectedTotal,
      skipped: Object.fromEntries(this.#skipped),
      kept: this.#kept,
      notices: [...this.#notices],
      stopped,
      seconds: (this.#clock.nowMs() - this.#startMs) / 1000
    }
  }

  #progress(): void {
    const nowMs = this.#clock.nowMs()
    const elapsedMs = nowMs - this.#toldMs
    if (elapsedMs < progressEveryMs) return
    const documentsPerSecond = Math.round(((this.#documents - this.#told) * 1000) / elapsedMs)
    this.#toldMs = nowMs
    this.#told = this.#documents
    this.#tell({
      event: 'progress',
      run: this.#run,
      documents: this.#documents,
      unchanged: this.#unchanged,
      emitted: this.#emitted,
      tombstones: this.#tombstones,
      tokens: this.#tokens,
      rejected: this.#rejectedTotal,
      documentsPerSecond,
      seconds: (nowMs - this.#startMs) / 1000
    })
  }
}

const maxShown = 300

// oxlint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** Names come from other people's disks and end on a terminal. */
function printable(text: string): string {
  const clean = text.toWellFormed().replace(unprintable, '\ufffd')
  return clean.length <= maxShown ? clean : `${clean.slice(0, maxShown)}…`
}
