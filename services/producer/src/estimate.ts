import { Estimator } from './estimator.ts'
import type { IngestDeps } from './ingest.ts'
import { checkIngestOptions, type IngestOptions } from './ingest-options.ts'
import type { EstimateReport } from './ingest-report.ts'
import { Ingestion } from './ingestion.ts'
import { isOtherLog, type KnownLog } from './log-identity.ts'
import { LooseEnds } from './loose-ends.ts'
import { resolveSources } from './resolve-sources.ts'
import { Tally } from './tally.ts'

export interface EstimateDeps
  extends Pick<IngestDeps, 'store' | 'extractor' | 'clock' | 'standardInput' | 'tell'> {
  /** The log as it is now; undefined when it cannot be asked: then what was sent before is taken to be in it. */
  readonly log: KnownLog | undefined
  /** What could not be taken into account, for the report. */
  readonly notices: readonly string[]
}

/**
 * Reads, splits and counts exactly as `ingest` does, compares with what was sent before, and says what a run would
 * send. Nothing is sent, and nothing is remembered. Tells each distinct text once, for whoever wants to ask whether it
 * has to be paid for.
 * @throws {Failure} `USAGE` naming every wrong path and option.
 */
export async function estimate(
  paths: readonly string[],
  deps: EstimateDeps,
  options: IngestOptions,
  signal: AbortSignal
): Promise<EstimateReport> {
  checkIngestOptions(options)
  const { store, log } = deps
  const roots = await resolveSources(paths, (origin, path) => store.isKnownPath(origin, path))
  const isLogOther = log !== undefined && isOtherLog(store, log)
  const tally = new Tally(options.run, deps.clock, deps.tell)
  for (const notice of deps.notices) tally.notice(notice)
  if (isLogOther) tally.notice('what was sent before is not in this log: everything is sent again')
  using scratch = store.openScratch()
  using sink = new Estimator({ ...deps, isLogOther, tally, db: store.database })
  const run = new Ingestion({ ...deps, sink, scratch, tally, looseEnds: new LooseEnds() }, options, signal)
  const reportOf = (stopped: boolean): EstimateReport => {
    const { event: _, ...counts } = tally.report(stopped)
    return { event: 'estimate', ...counts, distinct: sink.distinct }
  }
  try {
    for (const root of roots) await run.take(root)
    await sink.drain()
    return reportOf(false)
  } catch (error) {
    if (!signal.aborted) throw error
    await sink.drain()
    return reportOf(true)
  }
}
