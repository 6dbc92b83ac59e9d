// Rebuilds a ledger from what is left: Kafka, the index, the provider. Each step may be repeated, and is, when a controller
// dies or two of them do it at once; the last one, which lets admission go on, happens once.
import type { Digest } from '@pointsman/core/domain/identity'
import type { LedgerState } from '@pointsman/core/ports/ledger'
import type { RebuildProgress } from '@pointsman/core/ports/ledger-rebuild'
import type { HitFailpoint } from '@pointsman/core/runtime/failpoint'
import type { Parts } from '../parts.ts'
import type { ControlBook, Life } from '../switching/control-book.ts'
import { adoptJobs } from './adopt-jobs.ts'
import { committedWatermarks } from './committed-watermarks.ts'
import { findJobs, type JobSearch } from './find-jobs.ts'
import { expectNewest, readAhead } from './read-ahead.ts'
import { restoreIndex } from './restore-index.ts'

export interface RebuildDeps extends Pick<JobSearch, 'deletedInputs' | 'listGraceMs'> {
  readonly parts: Parts
  readonly book: ControlBook
  readonly hit: HitFailpoint
}

/** Progress is noted in the ledger so often. */
const noteEveryMs = 500

/**
 * @param state - of the ledger that is to be rebuilt.
 * @returns false when it was ended by another controller meanwhile.
 * @throws {Failure} of the ports: a part is away. Begin again.
 */
export async function rebuild(state: LedgerState, deps: RebuildDeps, signal: AbortSignal): Promise<boolean> {
  const { book, hit, parts } = deps
  const life = await beginLife(state, deps, signal)
  hit('ctl.life')
  const watermarks = await committedWatermarks(parts.admin, parts.names)

  const { deletedInputs, listGraceMs } = deps
  const search = { deletedInputs, ledgerIds: book.ledgerIds, listGraceMs }
  const found = await findJobs(parts, search, progress('provider', parts), signal)
  hit('ctl.files')
  if (!(await restoreIndex(parts, progress('index', parts), signal))) return false
  hit('ctl.index')
  const bounds = await parts.admin.bounds()
  const isAwaited = (content: Digest | undefined): boolean =>
    content !== undefined && found.sources.has(content)
  const ahead = await readAhead(parts, watermarks, bounds, isAwaited, progress('log', parts), signal)
  if (!(await expectNewest(parts, ahead.newest))) return false
  hit('ctl.log')
  if (!(await adoptJobs(parts, found, ahead, progress('jobs', parts), signal))) return false
  hit('ctl.jobs')

  await book.catchUp(signal)
  const { defaultLane, lanes } = book.lanes() ?? { defaultLane: state.defaultLane, lanes: new Map() }
  const partitions = new Map(
    [...bounds].map(([partition, { start }]) => {
      const frontier = watermarks.get(partition) ?? start
      return [partition, { lane: lanes.get(partition) ?? defaultLane, frontier }]
    })
  )
  const ended = await parts.ledger.endRebuild({ epoch: life.epoch, defaultLane, partitions })
  if (ended) hit('ctl.rebuilt')
  return ended
}

/** The record that gives this life its epoch, which is higher than that of any before. */
async function beginLife(
  { defaultLane, ledgerId, rebuild: standing }: LedgerState,
  { book, parts }: RebuildDeps,
  signal: AbortSignal
): Promise<Life> {
  await book.catchUp(signal)
  const atMs = parts.clock.nowMs()
  const opened = { kind: 'opened', lane: book.lanes()?.defaultLane ?? defaultLane, atMs } as const
  // The life before this one may have left no record: it had epoch 1.
  if (book.nextEpoch === 1) await book.append({ ...opened, ledgerId: '', because: '' }, signal)
  if (book.lifeOf(ledgerId) === undefined) {
    await book.append({ ...opened, ledgerId, because: standing?.because ?? '' }, signal)
  }
  const life = book.lifeOf(ledgerId)
  if (life === undefined) throw new Error(`the life of ledger ${ledgerId} is not where it was written`)
  return life
}

function progress(
  stage: RebuildProgress['stage'],
  { clock, ledger }: Pick<Parts, 'clock' | 'ledger'>
): (done: number, total: number) => Promise<void> {
  let notedMs = Number.NEGATIVE_INFINITY
  return async (done, total) => {
    if (clock.nowMs() - notedMs < noteEveryMs) return
    notedMs = clock.nowMs()
    await ledger.noteRebuild({ stage, done, total })
  }
}
