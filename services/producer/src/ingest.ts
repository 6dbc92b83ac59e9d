import { checkIngestOptions, type IngestOptions } from './ingest-options.ts'
import type { IngestReport } from './ingest-report.ts'
import { ingestRoots, type IngestRootsDeps } from './ingest-roots.ts'
import { LooseEnds } from './loose-ends.ts'
import { resolveSources, standardInput } from './resolve-sources.ts'

export interface IngestDeps extends IngestRootsDeps {
  /** Keeps other runs off the same root. @throws {Failure} `RUN_ACTIVE` */
  readonly lock: (origin: string) => Disposable
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
  return await ingestRoots(roots, { ...deps, looseEnds: new LooseEnds() }, options, signal)
}
