import { Failure } from '@pointsman/core/domain/failure'
import type { FollowBoard } from './follow-board.ts'
import { FollowedRoot } from './followed-root.ts'
import type { IngestDeps } from './ingest.ts'
import { checkIngestOptions, type IngestOptions } from './ingest-options.ts'
import type { IngestEvent, IngestReport } from './ingest-report.ts'
import { ingestRoots } from './ingest-roots.ts'
import { LooseEnds } from './loose-ends.ts'
import { findRoots, overlapsOf, type Root } from './resolve-sources.ts'
import { ToldRejections } from './told-rejections.ts'

export interface FollowDeps extends IngestDeps {
  readonly board: FollowBoard
  /** Gets the report of each round that did something. */
  readonly show: (report: IngestReport) => void
}

export interface FollowPace {
  /** Between two looks at all files. */
  readonly intervalMs: number
  /** How long a file has to be as it is before it is read. */
  readonly stillMs: number
}

/** Looking takes at most one part in so many of the time, however slow the disk is. */
const restPerLook = 9

/**
 * Ingests, and ingests again whatever changes, until the signal aborts: what is under way is then ended between two
 * batches, and a later start goes on from there. Files are looked at again and again, since a change on a network file
 * system tells nobody. A path that is not there is waited for, and nothing that came from it is deleted meanwhile.
 *
 * @param paths - files and folders; they need not be there yet.
 * @throws {Failure} `USAGE` for wrong options and for paths that lie inside each other; `RUN_ACTIVE`; what the writer
 *   calls fatal.
 */
export async function follow(
  paths: readonly string[],
  deps: FollowDeps,
  options: IngestOptions,
  pace: FollowPace,
  signal: AbortSignal
): Promise<void> {
  checkIngestOptions(options)
  deps.store.indexPaths()
  using follower = new Follower(paths, deps, options, pace)
  deps.tell({ event: 'following', paths, intervalMs: pace.intervalMs })
  try {
    for (;;) await deps.clock.sleep(await follower.round(signal), signal)
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error
  }
}

class Follower implements Disposable {
  readonly #paths: readonly string[]
  readonly #deps: FollowDeps
  readonly #options: IngestOptions
  readonly #pace: FollowPace
  readonly #resources = new DisposableStack()
  readonly #roots = new Map<string, FollowedRoot>()
  readonly #told = new ToldRejections()
  #notices: ReadonlySet<string> = new Set()
  #isFirst = true
  #away: readonly string[] = []
  #awaySinceMs = 0

  constructor(paths: readonly string[], deps: FollowDeps, options: IngestOptions, pace: FollowPace) {
    this.#paths = paths
    this.#deps = deps
    this.#options = options
    this.#pace = pace
  }

  /** @returns for how long nothing needs to be done. */
  async round(signal: AbortSignal): Promise<number> {
    const { clock, store } = this.#deps
    const { intervalMs, stillMs } = this.#pace
    const startMs = clock.nowMs()
    const { roots, problems } = await findRoots(this.#paths, (origin, path) =>
      store.isKnownPath(origin, path)
    )
    const overlaps = overlapsOf(roots)
    if (overlaps.length > 0) throw new Failure('USAGE', overlaps.join('\n'))

    const { due, away } = await this.#look(roots, signal)
    const tookMs = clock.nowMs() - startMs
    this.#noteAway([...problems, ...away], tookMs)
    if (due.length > 0) await this.#read(due, signal)
    const isUnsettled = roots.some(({ origin }) => this.#roots.get(origin)?.isUnsettled === true)
    return Math.max(isUnsettled ? stillMs : intervalMs, tookMs * restPerLook)
  }

  async #look(
    roots: readonly Root[],
    signal: AbortSignal
  ): Promise<{ readonly due: readonly Root[]; readonly away: readonly string[] }> {
    const due: Root[] = []
    const away: string[] = []
    for (const root of roots) {
      const found = await this.#followed(root).look(root, this.#options, signal)
      if (found === 'away') away.push(`${root.origin}: cannot be looked into`)
      else if (found !== 'still') due.push(found)
    }
    return { due, away }
  }

  #followed({ origin }: Root): FollowedRoot {
    const known = this.#roots.get(origin)
    if (known !== undefined) return known
    this.#resources.use(this.#deps.lock(origin))
    const followed = this.#resources.use(new FollowedRoot(this.#deps.clock, this.#pace.stillMs))
    this.#roots.set(origin, followed)
    return followed
  }

  /** Says once for what it waits, and once that it goes on. */
  #noteAway(away: readonly string[], tookMs: number): void {
    const { board, clock, tell } = this.#deps
    const files = [...this.#roots.values()].reduce((sum, root) => sum + root.files, 0)
    board.looked({ tookMs, files, away })
    if (away.join('\n') === this.#away.join('\n')) return
    if (this.#away.length === 0) this.#awaySinceMs = clock.nowMs()
    this.#away = away
    if (away.length === 0) tell({ event: 'resumed', waitedMs: clock.nowMs() - this.#awaySinceMs })
    else tell({ event: 'waiting', reason: away.join('; '), retryInMs: this.#pace.intervalMs })
  }

  async #read(due: readonly Root[], signal: AbortSignal): Promise<void> {
    const { board, tell } = this.#deps
    for (const { origin } of due) this.#told.forget(this.#roots.get(origin)?.changed ?? [])
    const looseEnds = new LooseEnds()
    const deps = {
      ...this.#deps,
      looseEnds,
      isNews: (rejection: Parameters<ToldRejections['tell']>[0]) => this.#told.tell(rejection),
      tell: (event: IngestEvent) => {
        board.hear(event)
        tell(event)
      }
    }
    const report = await ingestRoots(due, deps, this.#options, signal)
    board.ended(report)
    this.#show(report)
    if (report.stopped) return
    for (const [origin, root] of this.#roots) {
      if (due.some(read => read.origin === origin)) root.settle(origin, looseEnds)
      else if (looseEnds.isWholeWanted(origin)) root.readWhole()
    }
  }

  #show(report: IngestReport): void {
    const notices = report.notices.filter(notice => !this.#notices.has(notice))
    this.#notices = new Set(report.notices)
    const did = report.emitted + report.tombstones + report.rejectedTotal + notices.length > 0
    if (did || this.#isFirst || report.stopped) this.#deps.show({ ...report, notices })
    this.#isFirst = false
  }

  [Symbol.dispose](): void {
    this.#resources.dispose()
  }
}
