// Takes over what somebody left behind: orphans, requests of dead owners, and our own after a failure.
import type { ObligationId } from '../domain/identity.ts'
import type { Lane } from '../domain/lane.ts'
import type { FinishDeps } from './finish-work.ts'
import { giveUpParts } from './give-up-parts.ts'
import { loadItems } from './load-items.ts'
import type { Membership } from './membership.ts'
import type { Work } from './work.ts'

export interface AdoptDeps extends FinishDeps {
  readonly lane: Lane
  readonly membership: Membership
}

/** Takes over a request or an orphan. @returns undefined when the ledger refused, or nothing that could still be read is left. */
export async function adoptWork(
  obligation: ObligationId,
  deps: AdoptDeps,
  epoch: number,
  signal: AbortSignal
): Promise<Work | undefined> {
  const { gates, lane, ledger, membership } = deps
  const { owner } = membership
  const claim = { owner, epoch, lane }
  const taken = await gates.ledger.run(() => ledger.takeover(obligation, claim), signal)
  if (taken.kind === 'refused') return undefined
  const { attempts } = taken.obligation
  const { items, missing } = await loadItems(taken.parts, deps, signal)
  if (missing.length > 0) {
    const parts = missing.map(({ part }) => part)
    await giveUpParts({ obligation, owner, attempts, parts, reason: missing[0]?.reason ?? '' }, deps, signal)
  }
  return items.length > 0 ? { obligation, owner, attempts, items, lookUp: 'everything' } : undefined
}
