import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@pointsman/core/ports/clock'
import type { EmittedStore } from './emitted-store.ts'
import { type Entry, isLive } from './entry.ts'
import type { DocumentExtractor } from './extract/document-extractor.ts'
import { isAmong } from './followed.ts'
import type { IngestOptions } from './ingest-options.ts'
import type { LooseEnds } from './loose-ends.ts'
import { missingSources } from './missing-sources.ts'
import { digestOf, type Emission, planEmission, type SourceState } from './plan-emission.ts'
import { chunksOf, prepareText, type PreparedText } from './prepare-text.ts'
import { isWanted, readRoot } from './read-root.ts'
import { type Root, standardInput } from './resolve-sources.ts'
import type { RunScratch } from './run-scratch.ts'
import type { Reading, SourceText } from './source-text.ts'
import type { Tally } from './tally.ts'

/** What becomes of what was read: it is sent, or only counted. */
export interface Sink {
  /** What is remembered of a source, as far as it is needed to plan. */
  entry(id: string): Entry | undefined
  add(sending: Extract<Emission, { kind: 'emit' }>): Promise<void>
  /** Something of which nothing is to be sent. */
  note(change: Parameters<EmittedStore['replace']>[0][number]): Promise<void>
  /** Resolves when everything added is done with. */
  drain(): Promise<void>
}

export interface IngestionDeps {
  readonly sink: Sink
  readonly store: EmittedStore
  readonly scratch: RunScratch
  readonly looseEnds: LooseEnds
  readonly tally: Tally
  readonly extractor: DocumentExtractor
  readonly clock: Clock
  /** Documents as JSON lines, for the source `-`. */
  readonly standardInput: AsyncIterable<Uint8Array>
}

/** Reads roots, compares them with what was sent before, and gives what differs to the sink. */
export class Ingestion {
  readonly #deps: IngestionDeps
  readonly #options: IngestOptions
  readonly #signal: AbortSignal

  constructor(deps: IngestionDeps, options: IngestOptions, signal: AbortSignal) {
    this.#deps = deps
    this.#options = options
    this.#signal = signal
  }

  async take(root: Root): Promise<void> {
    let found = false
    const context = { ...this.#readOptions(), extractor: this.#deps.extractor, signal: this.#signal }
    for await (const reading of readRoot(root, this.#deps, context, () => this.#deps.sink.drain())) {
      this.#signal.throwIfAborted()
      found ||= reading.kind !== 'skipped'
      await this.#takeReading(reading, root)
    }
    if (root.origin !== standardInput && !this.#options.keepMissing) await this.#retireMissing(root, found)
    await this.#deps.sink.drain()
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

  async #takeReading(reading: Reading, root: Root): Promise<void> {
    switch (reading.kind) {
      case 'skipped':
        this.#deps.tally.skip(reading.extension)
        return
      case 'later':
        return
      case 'rejected': {
        const { path, id, reason, empty, again } = reading
        if (empty !== true) this.#deps.scratch.doubt(root.origin, path)
        if (again === true) this.#deps.looseEnds.again(root.origin, path)
        this.#deps.tally.reject({
          path: path === '' ? root.origin : path,
          ...(id === undefined ? {} : { id }),
          reason
        })
        return
      }
      case 'text': {
        this.#deps.tally.read(reading.bytes)
        const problem = await this.#takeText(reading.text, root)
        if (problem === undefined) return
        const { path, sourceId } = reading.text
        this.#deps.tally.reject({ path: path === '' ? root.origin : path, id: sourceId, reason: problem })
      }
    }
  }

  /** @returns why the text is rejected. What was sent of it before is kept then. */
  async #takeText(source: SourceText, root: Root): Promise<string | undefined> {
    const { sink, clock } = this.#deps
    const id = source.sourceId
    const isFirst = this.#deps.scratch.see(id)
    // The one met before may be on its way still.
    if (!isFirst) await this.#deps.sink.drain()
    const before = sink.entry(id)
    if (isOfUnreadFile(source, root, before)) {
      this.#deps.looseEnds.readWhole(root.origin)
      return undefined
    }
    const old = problemOfVersion(source, before)
    if (old !== undefined) return old
    const problem =
      (isFirst ? undefined : problemOfRepeat(source, before)) ?? (await problemOfOwner(source, root, before))
    if (problem !== undefined) {
      // The other may give it up.
      if (before?.origin !== root.origin) this.#deps.looseEnds.again(root.origin, source.path)
      return problem
    }

    const prepared = prepareText(source, this.#options)
    if ('reason' in prepared) {
      // A file that was emptied has nothing to show any more.
      if (before !== undefined && isLive(before) && !source.named)
        await this.#send(before, goneState(before, clock))
      return prepared.reason
    }
    if (before?.acked === true && before.content === prepared.content) {
      this.#deps.tally.unchanged()
      const after = { ...before, ...placeOf(source, root), given: source.given ?? before.given }
      if (isMoved(before, after)) await this.#deps.sink.note({ from: before.version, entry: after })
      return undefined
    }
    const chunks = await chunksOf(prepared, this.#options, clock, this.#signal)
    if ('reason' in chunks) return chunks.reason
    await this.#send(before, stateOf(prepared, root, before, chunks))
    return undefined
  }

  async #send(before: Entry | undefined, now: SourceState): Promise<void> {
    const emission = planEmission(before, now)
    if (emission.kind === 'emit') await this.#deps.sink.add(emission)
    else {
      this.#deps.tally.unchanged()
      await this.#deps.sink.note({ from: before?.version, entry: emission.after })
    }
  }

  async #retireMissing(root: Root, found: boolean): Promise<void> {
    const { store, clock, looseEnds } = this.#deps
    const { changes } = root.followed ?? {}
    const isWhole = root.files === undefined && changes === undefined
    const doubtAll = (!found && isWhole && !this.#options.allowEmpty) || root.followed?.keep !== undefined
    const inScope = (path: string): boolean =>
      (root.files !== undefined || isWanted(path, this.#options)) && root.followed?.isMoving(path) !== true
    let kept = 0
    for await (const { entry, sure } of missingSources(root, store, this.#deps.scratch, inScope)) {
      this.#signal.throwIfAborted()
      // Another file, that is not read this time, may have the same id.
      if (entry.named && changes !== undefined) looseEnds.readWhole(root.origin)
      else if (sure && !doubtAll) await this.#send(entry, goneState(entry, clock))
      else {
        kept += 1
        this.#deps.tally.kept()
      }
    }
    if (kept === 0) return
    this.#deps.tally.notice(
      doubtAll
        ? (root.followed?.keep ??
            `${root.origin} is empty where ${kept} texts were: they are kept, since a disk may be missing; --allow-empty deletes them`)
        : `${kept} texts of ${root.origin} were not found, and are kept since their place could not be read whole`
    )
  }
}

function problemOfRepeat(source: SourceText, before: Entry | undefined): string | undefined {
  if (source.named && source.deleted) return undefined
  const isNewer = source.given !== undefined && source.given > (before?.given ?? -1)
  return source.named && isNewer ? undefined : 'the id was met before in this run'
}

function problemOfVersion({ given }: SourceText, before: Entry | undefined): string | undefined {
  if (given === undefined || before?.given === undefined || given >= before.given) return undefined
  return `version ${given} is older than ${before.given}, which was sent before`
}

/** A file that is not read this time had it last: which of the two has it now, only reading both can tell. */
function isOfUnreadFile(source: SourceText, root: Root, before: Entry | undefined): boolean {
  const { changes } = root.followed ?? {}
  if (changes === undefined || before === undefined || !isLive(before)) return false
  return before.origin === root.origin && before.path !== source.path && !isAmong(changes, before.path)
}

async function problemOfOwner(
  source: SourceText,
  root: Root,
  before: Entry | undefined
): Promise<string | undefined> {
  if (before === undefined) return undefined
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
