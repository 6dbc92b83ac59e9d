import { type Lane, otherLane } from '@pointsman/core/domain/lane'
import type { LedgerState } from '@pointsman/core/ports/ledger'
import { SwitchRefused } from './switch-refused.ts'
import type { SwitchShape } from './switch-report.ts'

export interface SwitchPlan {
  /** Partitions that change; empty when all is as wished for. */
  readonly lanes: ReadonlyMap<number, Lane>
  readonly before: ReadonlyMap<number, Lane>
  readonly defaultLane: Lane
}

type Lanes = Pick<LedgerState, 'defaultLane' | 'partitions'>

/**
 * Which partitions change their lane. Partitions only move towards the target, the lowest numbers first, so that a
 * share which is raised step by step moves each of them once. Pure.
 * @throws {SwitchRefused} the wish contradicts itself, or what is.
 */
export function planSwitch({ defaultLane, partitions }: Lanes, wish: SwitchShape): SwitchPlan {
  const { share, strategy, target } = wish
  if (strategy === 'force' && share < 1) {
    const why = 'force cancels all jobs, whatever partition their documents are from'
    throw new SwitchRefused('FORCE_NEEDS_ALL', `${why}: take detach or drain for a share`)
  }
  if (partitions.size === 0) {
    const remedy = 'start an embedder, which tells the ledger of them, then try again'
    throw new SwitchRefused('NO_PARTITIONS', `the ledger knows no partition yet: ${remedy}`)
  }
  const before = new Map([...partitions].toSorted(([a], [b]) => a - b).map(([p, { lane }]) => [p, lane]))
  const there = [...before.values()].filter(lane => lane === target).length
  const wanted = Math.max(1, Math.round(share * before.size))
  if (there > wanted) {
    const other = otherLane(target)
    const remedy = `to take some back, switch to ${other} with the share that it shall have`
    throw new SwitchRefused(
      'SHARE_FALLS',
      `${target} has ${there} of ${before.size} partitions already: ${remedy}`
    )
  }
  const others = [...before].filter(([, lane]) => lane !== target).map(([partition]) => partition)
  const lanes = new Map(others.slice(0, wanted - there).map(partition => [partition, target]))
  return { lanes, before, defaultLane: laneOfMost(wanted, before.size, target, lanes.size, defaultLane) }
}

/** Back to the lanes that were before. Partitions that came since keep theirs. */
export function planRollback(
  { partitions }: Lanes,
  before: ReadonlyMap<number, Lane>,
  target: Lane
): SwitchPlan {
  const now = new Map([...partitions].toSorted(([a], [b]) => a - b).map(([p, { lane }]) => [p, lane]))
  const lanes = new Map([...before].filter(([p, lane]) => now.has(p) && now.get(p) !== lane))
  const after = new Map([...now, ...lanes])
  const there = [...after.values()].filter(lane => lane === target).length
  return { lanes, before: now, defaultLane: laneOfMost(there, after.size, target, lanes.size, target) }
}

/** Partitions that come later go where most are; of equals, where they were wanted. */
function laneOfMost(there: number, all: number, target: Lane, moved: number, present: Lane): Lane {
  if (moved === 0 && there < all) return present
  if (there * 2 >= all) return target
  return otherLane(target)
}
