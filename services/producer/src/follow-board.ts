import type { Clock } from '@pointsman/core/ports/clock'
import type { Readiness } from '@pointsman/core/runtime/health-server'
import type { Metrics } from '@pointsman/core/runtime/metrics'
import type { IngestEvent, IngestReport } from './ingest-report.ts'

interface Counts {
  readonly documents: number
  readonly unchanged: number
  readonly emitted: number
  readonly tombstones: number
  readonly rejected: number
}

const none: Counts = { documents: 0, unchanged: 0, emitted: 0, tombstones: 0, rejected: 0 }

/** How it stands with following, for whoever asks: an operator, an orchestrator, Prometheus. */
export class FollowBoard {
  readonly #clock: Clock
  readonly #startMs: number
  #ended = none
  #underWay = none
  #rounds = 0
  #look: { readonly atMs: number; readonly tookMs: number; readonly files: number } | undefined
  #away: readonly string[] = []
  #waitsFor: string | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startMs = clock.nowMs()
  }

  hear(event: IngestEvent): void {
    if (event.event === 'waiting') this.#waitsFor = event.reason
    else if (event.event === 'resumed') this.#waitsFor = undefined
    else if (event.event === 'progress') this.#underWay = event
  }

  /** @param away - roots that could not be looked into, each as a sentence. */
  looked(look: { readonly tookMs: number; readonly files: number; readonly away: readonly string[] }): void {
    this.#look = { atMs: this.#clock.nowMs(), tookMs: look.tookMs, files: look.files }
    this.#away = look.away
  }

  ended(report: IngestReport): void {
    this.#ended = sumOf(this.#ended, { ...report, rejected: report.rejectedTotal })
    this.#underWay = none
    this.#rounds += 1
  }

  readiness(): Readiness {
    const reasons = [
      ...(this.#waitsFor === undefined ? [] : [this.#waitsFor]),
      ...(this.#look === undefined ? ['the first look at the files has not ended'] : []),
      ...this.#away
    ]
    return { ready: reasons.length === 0, reasons }
  }

  observe(metrics: Metrics): void {
    const counters = {
      documents: metrics.counter('pointsman_producer_texts_read_total', 'Texts read, of files and lines'),
      unchanged: metrics.counter(
        'pointsman_producer_texts_unchanged_total',
        'Texts that are as they were sent'
      ),
      emitted: metrics.counter('pointsman_producer_documents_sent_total', 'Documents sent to the log'),
      tombstones: metrics.counter('pointsman_producer_deletions_sent_total', 'Deletions sent to the log'),
      rejected: metrics.counter('pointsman_producer_rejected_total', 'Files and records that were rejected')
    }
    const rounds = metrics.counter('pointsman_producer_rounds_total', 'Rounds that read something')
    const ready = metrics.gauge('pointsman_producer_ready', '1 while folders, Kafka and registry can be used')
    const files = metrics.gauge('pointsman_producer_files', 'Files seen by the last look')
    const took = metrics.gauge('pointsman_producer_look_seconds', 'Duration of the last look at all files')
    const age = metrics.gauge(
      'pointsman_producer_look_age_seconds',
      'Time since the last look at all files, or the start'
    )
    metrics.beforeRender(() => {
      const sum = sumOf(this.#ended, this.#underWay)
      for (const [counter, total] of [
        [counters.documents, sum.documents],
        [counters.unchanged, sum.unchanged],
        [counters.emitted, sum.emitted],
        [counters.tombstones, sum.tombstones],
        [counters.rejected, sum.rejected],
        [rounds, this.#rounds]
      ] as const) {
        counter.reset()
        counter.inc(total)
      }
      ready.set(this.readiness().ready ? 1 : 0)
      files.set(this.#look?.files ?? 0)
      took.set((this.#look?.tookMs ?? 0) / 1000)
      age.set((this.#clock.nowMs() - (this.#look?.atMs ?? this.#startMs)) / 1000)
    })
  }
}

function sumOf(a: Counts, b: Counts): Counts {
  return {
    documents: a.documents + b.documents,
    unchanged: a.unchanged + b.unchanged,
    emitted: a.emitted + b.emitted,
    tombstones: a.tombstones + b.tombstones,
    rejected: a.rejected + b.rejected
  }
}
