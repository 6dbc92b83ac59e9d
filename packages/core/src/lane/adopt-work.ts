// Takes over what somebody left behind: orphans, requests of dead owners, and our own after a failure.
import type { ObligationId } from '../domain/identity.ts'
import type { Lane } from '../domain/lane.ts'
import type { Ledger, Part } from '../ports/ledger.ts'
import type { FinishDeps } from './finish-work.ts'
import { giveUpParts } from './give-up-parts.ts'
import { loadItems } from './load-items.ts'
import type { Membership } from './membership.ts'
import { Disowned } from './vector-source.ts'
import type { Work } from './work.ts'

/** Parts of one request: an orphan that holds more is split. */
const partsAtOnce = 256

type Taken = Extract<Awaited<ReturnType<Ledger['takeover']>>, { kind: 'taken' }>

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
  const parts = await keepSome(taken, deps, signal)
  const { items, missing } = await loadItems(parts, deps, signal)
  if (missing.length > 0) {
    const gone = missing.map(({ part }) => part)
    const reason = missing[0]?.reason ?? ''
    await giveUpParts({ obligation, owner, attempts, parts: gone, reason }, deps, signal)
  }
  return items.length > 0 ? { obligation, owner, attempts, items, lookUp: 'everything' } : undefined
}

/**
 * An orphan may be as large as a manifest that was not sealed at a switch: what is too much for one request is left to
 * others, and to later.
 */
async function keepSome(
  { obligation, parts }: Taken,
  { gates, ledger, membership }: AdoptDeps,
  signal: AbortSignal
): Promise<readonly Part[]> {
  const { attempts, id, reason } = obligation
  const fields = { reason, delayMs: 0, attempts, failures: 0 }
  // Whoever waits for the same vector goes the same way.
  const contents = new Set(parts.slice(0, partsAtOnce).map(({ content }) => content))
  const isKept = (part: Part, index: number): boolean => index < partsAtOnce || contents.has(part.content)
  const rest = parts.filter((part, index) => !isKept(part, index))
  for (let from = 0; from < rest.length; from += partsAtOnce) {
    const to = { id: membership.newObligation(), kind: 'orphan' } as const
    const chunk = rest.slice(from, from + partsAtOnce)
    const moved = await gates.ledger.run(() => ledger.move(id, membership.owner, chunk, to, fields), signal)
    if (moved.kind !== 'moved') throw new Disowned(`obligation ${id} is not ours any more`)
  }
  return parts.filter(isKept)
}
