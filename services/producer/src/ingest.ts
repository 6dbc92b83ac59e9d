import type { Clock } from '@pointsman/core/ports/clock'
import type { DocumentWriter, LogAdmin } from '@pointsman/core/ports/event-log'
import type { EmittedStore } from './emitted-store.ts'
import { Emitter } from './emitter.ts'
import type { DocumentExtractor } from './extract/document-extractor.ts'
import { checkIngestOptions, type IngestOptions } from './ingest-options.ts'
import type { IngestEvent, IngestReport } from './ingest-report.ts'
import { Ingestion } from './ingestion.ts'
import { recallLog, rememberLog } from './log-identity.ts'
import { resolveSources, standardInput } from './resolve-sources.ts'
import { Tally } from './tally.ts'
import { untilAvailable } from './until-available.ts'

export interface IngestDeps {
  readonly writer: DocumentWriter
  /** Tells whether the log still holds what was written to it. */
  readonly log: Pick<LogAdmin, 'bounds'>
  /** Names the cluster and topic: what was sent to another log has not been sent to this one. */
  readonly logId: string
  readonly store: EmittedStore
  /** Keeps other runs off the same root. @throws {Failure} `RUN_ACTIVE` */
  readonly lock: (origin: string) => Disposable
  readonly extractor: DocumentExtractor
  readonly clock: Clock
  /** Documents as JSON lines, for the source `-`. */
  readonly standardInput: AsyncIterable<Uint8Array>
  readonly tell: (event: IngestEvent) => void
}

/**
 * Reads files, folders and standard input, and sends what changed since the last run to the log, with tombstones for
 * what is gone. Bad input is named in the report and never stops the run. While Kafka or the registry is away it
 * waits and says so. An abort ends the run between two batches: the report then says `stopped`.
 *
 * @param paths - files, folders, or `-`.
 * @throws {Failure} `USAGE` naming every wrong path and option; `RUN_ACTIVE`; what the writer calls fatal.
 */
export async function ingest(
  paths: readonly string[],
  deps: IngestDeps,
  options: IngestOptions,
  signal: AbortSignal
): Promise<IngestReport> {
  checkIngestOptions(options)
  const roots = await resolveSources(paths, (origin, path) => deps.store.isKnownPath(origin, path))
  using locks = new DisposableStack()
  for (const { origin } of roots) if (origin !== standardInput) locks.use(deps.lock(origin))
  using scratch = deps.store.openScratch()
  const tally = new Tally(options.run, deps.clock, deps.tell)
  const sink = new Emitter({ ...deps, tally }, signal)
  const run = new Ingestion({ ...deps, sink, scratch, tally }, options, signal)
  const bounds = () => untilAvailable(() => deps.log.bounds(), deps, signal)
  try {
    const notice = recallLog(deps.store, deps.logId, await bounds())
    if (notice !== undefined) tally.notice(notice)
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
