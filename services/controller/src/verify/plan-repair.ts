import type { ObjectId } from '@pointsman/core/domain/identity'
import type { Correction, Latest } from '@pointsman/core/ports/ledger'
import type { ObjectHead } from '@pointsman/core/ports/vector-store'
import type { Digest } from '@pointsman/core/domain/identity'
import type { Newest } from './newest-table.ts'
import type { LeftReason } from './repair-report.ts'
import { removable, standingOf } from './standing.ts'

export interface RepairFacts {
  readonly docKey: Digest
  readonly newest: Newest
  readonly latest: Latest | undefined
  readonly heads: readonly ObjectHead[]
  readonly admitted: boolean
  readonly processed: boolean
  /** The log still keeps the record of the newest version. */
  readonly isInLog: boolean
}

/** What is to be done for one document; objects are removed whatever becomes of the rest. */
export interface RepairPlan {
  readonly remove: readonly ObjectId[]
  readonly correction?: Correction
  /** Its newest record is to be admitted again; after the correction, if there is one. */
  readonly requeue?: true
  readonly left?: LeftReason
}

type Step = Omit<RepairPlan, 'remove'>

/** Pure. */
export function planRepair(facts: RepairFacts): RepairPlan {
  const { heads, latest } = facts
  if (latest === undefined) return { remove: [], ...requeue(facts) }
  const standing = standingOf(latest, heads)
  const step = stepFor(facts, latest, standing.own)
  const left = step.left ?? (standing.ahead.length > 0 ? 'ahead' : undefined)
  const remove = removable(latest, standing).map(({ id }) => id)
  return { remove, ...step, ...(left !== undefined && { left }) }
}

function stepFor(facts: RepairFacts, latest: Latest, own: ObjectHead | undefined): Step {
  const { admitted, newest, processed } = facts
  const isMissing = latest.status === 'indexed' && latest.content !== undefined && own === undefined
  if (isMissing) return requeue(facts, latest)
  // A newer version than L knows is admitted without a word to the ledger.
  if (admitted && newest.version > latest.version) return requeue(facts)
  switch (latest.status) {
    case 'open':
      return { left: 'open' }
    case 'dead':
    case 'expected': {
      const isWritten =
        own !== undefined && (latest.version > newest.version || own.paymentKey === newest.content)
      if (isWritten) return { correction: correctionOf(facts, latest, 'indexed', own.paymentKey) }
      return requeue(facts, latest)
    }
    case 'indexed':
      if (own === undefined) return {}
      if (!processed) return { correction: correctionOf(facts, latest, 'indexed', own.paymentKey) }
      return own.paymentKey === newest.content ? {} : requeue(facts)
  }
}

/** @param wrong - what L says, if that would keep the record from being admitted. */
function requeue(facts: RepairFacts, wrong?: Latest): Step {
  const { admitted, isInLog, latest, newest } = facts
  // What is ahead of A comes by itself.
  if (!admitted) return latest === undefined ? { left: 'ahead' } : {}
  if (!isInLog || (latest !== undefined && latest.version > newest.version)) return { left: 'expired' }
  if (wrong === undefined || wrong.status === 'expected' || newest.content === undefined) {
    return { requeue: true }
  }
  return { correction: correctionOf(facts, wrong, 'expected', newest.content), requeue: true }
}

function correctionOf(
  { docKey }: RepairFacts,
  { generation, status: found, version }: Latest,
  status: Correction['status'],
  content: Digest
): Correction {
  return { docKey, found: { version, generation, status: found }, status, content }
}
