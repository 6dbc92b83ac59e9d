import type { Clock } from '@pointsman/core/ports/clock'
import type { DocumentWriter, LogAdmin } from '@pointsman/core/ports/event-log'
import type { EmittedStore } from './emitted-store.ts'
import { Emitter } from './emitter.ts'
import type { DocumentExtractor } from './extract/document-extractor.ts'
import type { IngestOptions } from './ingest-options.ts'
import type { IngestEvent, IngestReport, Rejection } from './ingest-report.ts'
import { Ingestion } from './ingestion.ts'
import { recallLog, rememberLog } from './log-identity.ts'
import type { LooseEnds } from './loose-ends.ts'
import { type Root, standardInput } from './resolve-sources.ts'
import { Tally } from './tally.ts'
import { untilAvailable } from './until-available.ts'

export interface IngestRootsDeps {
  readonly writer: DocumentWriter
  /** Tells whether the log still holds what was written to it. */
  readonly log: Pick<LogAdmin, 'bounds'>
  /** Names the cluster and topic: what was sent to another log has not been sent to this one. */
  readonly logId: string
  readonly store: EmittedStore
  readonly extractor: DocumentExtractor
  readonly clock: Clock
  /** Documents as JSON lines, for the source `-`. */
  readonly standardInput: AsyncIterable<Uint8Array>
  readonly tell: (event: IngestEvent) => void
  /** Whether a rejection is to be told and counted; without it, each is. */
  readonly isNews?: (rejection: Rejection) => boolean
}

/** One run over roots that this process alone reads; else as `ingest`. */
export async function ingestRoots(
  roots: readonly Root[],
  deps: IngestRootsDeps & { readonly looseEnds: LooseEnds },
  options: IngestOptions,
  signal: AbortSignal
): Promise<IngestReport> {
  using scratch = deps.store.openScratch()
  const tally = new Tally(options.run, deps.clock, deps.tell, deps.isNews)
  const sink = new Emitter({ ...deps, tally }, signal)
  const run = new Ingestion({ ...deps, sink, scratch, tally }, options, signal)
  const bounds = () => untilAvailable(() => deps.log.bounds(), deps, signal)
  try {
    const notice = recallLog(deps.store, deps.logId, await bounds())
    if (notice !== undefined) {
      tally.notice(notice)
      deps.looseEnds.readEverything()
    }
    for (const root of roots) {
      if (root.origin !== standardInput && !deps.store.isKnown(root.origin)) {
        tally.notice(`${root.origin} was not read before: files removed from it until now go unnoticed`)
      }
      await run.take(root)
    }
    await sink.drain()
    rememberLog(deps.store, await bounds())
    return tally.report(false)
  } catch (error) {
    if (signal.aborted) return tally.report(true)
    throw error
  }
}
