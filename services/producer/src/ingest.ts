import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@pointsman/core/ports/clock'
import type { DocumentWriter, LogAdmin } from '@pointsman/core/ports/event-log'
import type { EmittedStore } from './emitted-store.ts'
import { Emitter } from './emitter.ts'
import { type Entry, isLive } from './entry.ts'
import type { DocumentExtractor } from './extract/document-extractor.ts'
import { checkIngestOptions, type IngestOptions } from './ingest-options.ts'
import type { IngestEvent, IngestReport } from './ingest-report.ts'
import { recallLog, rememberLog } from './log-identity.ts'
import { missingSources } from './missing-sources.ts'
import { digestOf, planEmission, type SourceState } from './plan-emission.ts'
import { chunksOf, prepareText, type PreparedText } from './prepare-text.ts'
import { isWanted, readRoot } from './read-root.ts'
import { resolveSources, type Root, standardInput } from './resolve-sources.ts'
import type { RunScratch } from './run-scratch.ts'
import type { Reading, SourceText } from './source-text.ts'
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
  const run = new Ingestion(deps, options, scratch, tally, signal)
  try {
    await run.prepare()
    for (const root of roots) await run.ingestRoot(root)
    await run.finish()
    return tally.report(false)
  } catch (error) {
    if (signal.aborted) return tally.report(true)
    throw error
  }
}

class Ingestion {
  readonly #deps: IngestDeps
  readonly #options: IngestOptions
  readonly #scratch: RunScratch
  readonly #tally: Tally
  readonly #signal: AbortSignal
  readonly #emitter: Emitter

  constructor(
    deps: IngestDeps,
    options: IngestOptions,
    scratch: RunScratch,
    tally: Tally,
    signal: AbortSignal
  ) {
    this.#deps = deps
    this.#options = options
    this.#scratch = scratch
    this.#tally = tally
    this.#signal = signal
    this.#emitter = new Emitter({ ...deps, tally }, signal)
  }

  async prepare(): Promise<void> {
    const { store, logId } = this.#deps
    const notice = recallLog(store, logId, await this.#bounds())
    if (notice !== undefined) this.#tally.notice(notice)
  }

  async finish(): Promise<void> {
    await this.#emitter.drain()
    rememberLog(this.#deps.store, await this.#bounds())
  }

  #bounds(): ReturnType<LogAdmin['bounds']> {
    return untilAvailable(() => this.#deps.log.bounds(), this.#deps, this.#signal)
  }

  async ingestRoot(root: Root): Promise<void> {
    const { store } = this.#deps
    if (root.origin !== standardInput && !store.isKnown(root.origin)) {
      this.#tally.notice(`${root.origin} was not read before: files removed from it until now go unnoticed`)
    }
    let found = false
    const context = { ...this.#readOptions(), extractor: this.#deps.extractor, signal: this.#signal }
    for await (const reading of readRoot(root, this.#deps, context, () => this.#emitter.drain())) {
      this.#signal.throwIfAborted()
      found ||= reading.kind !== 'skipped'
      await this.#take(reading, root)
    }
    if (root.origin !== standardInput && !this.#options.keepMissing) await this.#retireMissing(root, found)
    await this.#emitter.drain()
  }

  #readOptions() {
    const { maxFileBytes, csvIdColumn, csvTextColumn, idPrefix, only } = this.#options
    return {
      maxBytes: maxFileBytes,
      csv: { idColumn: csvIdColumn, textColumn: csvTextColumn },
      idPrefix,
      only
    }
  }

  async #take(reading: Reading, root: Root): Promise<void> {
    switch (reading.kind) {
      case 'skipped':
        this.#tally.skip(reading.extension)
        return
      case 'rejected': {
        const { path, id, reason, empty } = reading
        if (empty !== true) this.#scratch.doubt(root.origin, path)
        this.#tally.reject({
          path: path === '' ? root.origin : path,
          ...(id === undefined ? {} : { id }),
          reason
        })
        return
      }
      case 'text': {
        this.#tally.read(reading.bytes)
        const problem = await this.#takeText(reading.text, root)
        if (problem === undefined) return
        const { path, sourceId } = reading.text
        this.#tally.reject({ path: path === '' ? root.origin : path, id: sourceId, reason: problem })
      }
    }
  }

  /** @returns why the text is rejected. What was sent of it before is kept then. */
  async #takeText(source: SourceText, root: Root): Promise<string | undefined> {
    const { store, clock } = this.#deps
    const id = source.sourceId
    const isFirst = this.#scratch.see(id)
    // The one met before may be on its way still.
    if (!isFirst) await this.#emitter.drain()
    const before = store.entry(id)
    const problem =
      (isFirst ? undefined : problemOfRepeat(source, before)) ?? (await problemOfOwner(source, root, before))
    if (problem !== undefined) return problem

    const prepared = prepareText(source, this.#options)
    if ('reason' in prepared) {
      // A file that was emptied has nothing to show any more.
      if (before !== undefined && isLive(before) && !source.named)
        await this.#send(before, goneState(before, clock))
      return prepared.reason
    }
    if (before?.acked === true && before.content === prepared.content) {
      this.#tally.unchanged()
      const after = { ...before, ...placeOf(source, root), given: source.given ?? before.given }
      if (isMoved(before, after)) await this.#emitter.note({ from: before.version, entry: after })
      return undefined
    }
    const chunks = await chunksOf(prepared, this.#options, clock, this.#signal)
    if ('reason' in chunks) return chunks.reason
    await this.#send(before, stateOf(prepared, root, before, chunks))
    return undefined
  }

  async #send(before: Entry | undefined, now: SourceState): Promise<void> {
    const emission = planEmission(before, now)
    if (emission.kind === 'emit') await this.#emitter.add(emission)
    else {
      this.#tally.unchanged()
      await this.#emitter.note({ from: before?.version, entry: emission.after })
    }
  }

  async #retireMissing(root: Root, found: boolean): Promise<void> {
    const { store, clock } = this.#deps
    const doubtAll = !found && root.files === undefined && !this.#options.allowEmpty
    const inScope = (path: string): boolean => root.files !== undefined || isWanted(path, this.#options)
    let kept = 0
    for await (const { entry, sure } of missingSources(root, store, this.#scratch, inScope)) {
      this.#signal.throwIfAborted()
      if (sure && !doubtAll) await this.#send(entry, goneState(entry, clock))
      else {
        kept += 1
        this.#tally.kept()
      }
    }
    if (kept === 0) return
    this.#tally.notice(
      doubtAll
        ? `${root.origin} is empty where ${kept} texts were: they are kept, since a disk may be missing; --allow-empty deletes them`
        : `${kept} texts of ${root.origin} were not found, and are kept since their place could not be read whole`
    )
  }
}

function problemOfRepeat(source: SourceText, before: Entry | undefined): string | undefined {
  if (source.named && source.deleted) return undefined
  const isNewer = source.given !== undefined && source.given > (before?.given ?? -1)
  return source.named && isNewer ? undefined : 'the id was met before in this run'
}

async function problemOfOwner(
  source: SourceText,
  root: Root,
  before: Entry | undefined
): Promise<string | undefined> {
  if (before === undefined) return undefined
  const { given } = source
  if (given !== undefined && before.given !== undefined && given < before.given) {
    return `version ${given} is older than ${before.given}, which was sent before`
  }
  // Who names an id owns it; ids made from paths of two roots may meet by chance.
  if (before.origin === root.origin || (before.named && source.named) || !isLive(before)) return undefined
  if (before.origin === standardInput || !(await isThere(join(before.origin, before.path)))) return undefined
  return `the id belongs to ${before.path} of ${before.origin} (--id-prefix tells them apart)`
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch {
    return false
  }
}

function placeOf(source: SourceText, root: Root): Pick<Entry, 'origin' | 'path' | 'named' | 'elsewhere'> {
  return { origin: root.origin, path: source.path, named: source.named, elsewhere: source.elsewhere }
}

function isMoved(before: Entry, after: Entry): boolean {
  const { origin, path, named, elsewhere, given } = after
  return (
    before.origin !== origin ||
    before.path !== path ||
    before.named !== named ||
    before.elsewhere !== elsewhere ||
    before.given !== given
  )
}

function stateOf(
  { source, title, metadataKey, metadata, content }: PreparedText,
  root: Root,
  before: Entry | undefined,
  chunks: SourceState['chunks']
): SourceState {
  return {
    id: source.sourceId,
    ...placeOf(source, root),
    given: source.given ?? before?.given,
    version: source.given ?? source.modifiedMs,
    content,
    title,
    metadataKey,
    metadata,
    chunks
  }
}

/** A file's tombstone has the time at which it was missed; who numbers its own versions keeps its numbers. */
function goneState(entry: Entry, clock: Clock): SourceState {
  const { id, origin, path, named, elsewhere, given } = entry
  return {
    id,
    origin,
    path,
    named,
    elsewhere,
    given,
    version: given === undefined ? clock.nowMs() : 0,
    content: digestOf('gone'),
    title: '',
    metadataKey: '',
    metadata: '{}',
    chunks: []
  }
}
