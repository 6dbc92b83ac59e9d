// Finds the ledger that a life begins with: makes it when nothing was there before, waits while it is rebuilt, and gives
// it up when Kafka knows more than it does.
import type { Lane } from '../domain/lane.ts'
import type { Clock } from '../ports/clock.ts'
import type { LogAdmin } from '../ports/event-log.ts'
import type { Ledger, LedgerState } from '../ports/ledger.ts'
import type { Rebuild } from '../ports/ledger-rebuild.ts'
import type { Gate } from '../runtime/gate.ts'
import type { Names } from '../runtime/names.ts'
import { beyondWatermarks, type CommittedOffset } from './beyond-watermarks.ts'
import { isLoss } from './ledger-life.ts'

export interface OpenLedgerDeps {
  readonly ledger: Ledger
  readonly admin: LogAdmin
  readonly clock: Clock
  /** That of the ledger only repeats calls: before the ledger is opened there is no question that it must answer. */
  readonly gates: { readonly ledger: Gate; readonly log: Gate }
  readonly initialMode: Lane
  readonly groups: Names['groups']
  /** Has this process ever committed? The groups may have been forgotten meanwhile. */
  readonly hasCommitted: () => boolean
  /** Is told why the ledger cannot be used yet. */
  readonly waiting: (reason: string) => void
  readonly warn: (message: string) => void
}

const pollMs = 250

/**
 * Resolves with the ledger when it can be used.
 * @param onFatal - as `Gate.run`, for a ledger of another format.
 */
export async function openLedger(
  deps: OpenLedgerDeps,
  onFatal: 'wait' | 'throw',
  signal: AbortSignal
): Promise<LedgerState> {
  const { clock, gates, initialMode, ledger, warn } = deps
  for (;;) {
    // Before W: what was committed by then, W had reached.
    const committed = await committedOffsets(deps, signal)
    const wasThere = deps.hasCommitted() || committed.length > 0
    const state = await gates.ledger.run(
      () => (wasThere ? ledger.open(initialMode, 'lost') : ledger.open(initialMode)),
      signal,
      onFatal
    )
    const usable = await unlessLost(async () => {
      if (state.rebuild !== undefined) {
        await rebuilt(state.rebuild, deps, signal)
        return false
      }
      const because = await whatIsMissing(committed, deps, signal)
      if (because === undefined) return true
      warn(`ledger ${state.ledgerId} is given up: ${because}`)
      await gates.ledger.run(() => ledger.distrust(state.ledgerId, because), signal)
      return false
    })
    if (usable) return state
    await clock.sleep(pollMs, signal)
  }
}

async function committedOffsets(
  { admin, gates, groups }: OpenLedgerDeps,
  signal: AbortSignal
): Promise<readonly CommittedOffset[]> {
  const found: CommittedOffset[] = []
  for (const group of Object.values(groups)) {
    const committed = await gates.log.run(() => admin.committed(group), signal)
    for (const [partition, offset] of committed) {
      if (offset !== undefined) found.push({ group, partition, offset })
    }
  }
  return found
}

/** @returns in words, why the ledger cannot be right. */
async function whatIsMissing(
  committed: readonly CommittedOffset[],
  { admin, gates, ledger }: OpenLedgerDeps,
  signal: AbortSignal
): Promise<string | undefined> {
  if (committed.length === 0) return undefined
  const bounds = await gates.log.run(() => admin.bounds(), signal)
  const watermarks = await passing(() => ledger.watermarks(), gates.ledger, signal)
  return beyondWatermarks(
    committed,
    // A partition that it does not know would begin at the start of the log.
    partition => watermarks.get(partition) ?? bounds.get(partition)?.start
  )
}

async function rebuilt(first: Rebuild, deps: OpenLedgerDeps, signal: AbortSignal): Promise<void> {
  const { clock, gates, ledger, waiting } = deps
  let rebuild: Rebuild | undefined = first
  while (rebuild !== undefined) {
    const { because, done, stage, total } = rebuild
    waiting(`the ledger is being rebuilt: ${because}, ${stage} ${done}/${total}; needs a controller`)
    await clock.sleep(pollMs, signal)
    rebuild = (await passing(() => ledger.state(), gates.ledger, signal)).rebuild
  }
}

/** Another loss is not waited out: it has to be opened anew. */
async function passing<Answer>(
  call: () => Promise<Answer>,
  gate: Gate,
  signal: AbortSignal
): Promise<Answer> {
  const answered = await gate.run(
    () =>
      call().then(
        answer => ({ answer }),
        (error: unknown) => {
          if (isLoss(error)) return { error }
          throw error
        }
      ),
    signal
  )
  if ('error' in answered) throw answered.error
  return answered.answer
}

async function unlessLost(attempt: () => Promise<boolean>): Promise<boolean> {
  try {
    return await attempt()
  } catch (error) {
    if (isLoss(error)) return false
    throw error
  }
}
