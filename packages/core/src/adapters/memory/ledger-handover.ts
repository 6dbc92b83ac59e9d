// How obligations change hands: what nobody works at is given to somebody who does.
import type { ObligationId } from '../../domain/identity.ts'
import type { Ledger, ObligationKind } from '../../ports/ledger.ts'
import type { MemoryLedgerState, ObligationRecord } from './ledger-state.ts'
import { describeObligation, mayBeDead, sortedParts } from './ledger-state.ts'

type TakeoverReply = Awaited<ReturnType<Ledger['takeover']>>
type Refusal = Extract<TakeoverReply, { kind: 'refused' }>['reason']

export function adoptable(
  state: MemoryLedgerState,
  kinds: readonly ObligationKind[],
  limit: number,
  nowMs: number
): ObligationId[] {
  return [...state.obligations.values()]
    .filter(({ kind }) => kinds.includes(kind))
    .filter(({ owner, notBeforeMs }) =>
      owner === undefined ? notBeforeMs <= nowMs : mayBeDead(state, owner, nowMs)
    )
    .sort((a, b) => a.rank - b.rank || a.number - b.number)
    .slice(0, limit)
    .map(({ id }) => id)
}

export function takeover(
  state: MemoryLedgerState,
  obligation: ObligationId,
  claim: Parameters<Ledger['takeover']>[1],
  nowMs: number
): TakeoverReply {
  const record = state.obligations.get(obligation)
  if (record === undefined) return { kind: 'refused', reason: 'gone' }
  if (record.owner !== claim.owner) {
    const reason = refuseTakeover(state, record, claim, nowMs)
    if (reason !== undefined) return { kind: 'refused', reason }
    record.owner = claim.owner
    // The new owner is told every part, or reads them all, and the former one's admission is nobody's to repeat.
    record.joined.clear()
    record.answer = undefined
    if (record.kind !== 'manifest') {
      record.kind = 'request'
      record.state = 'admitted'
      record.inputsAtRisk = 0
      record.notBeforeMs = 0
    }
  }
  const parts = record.kind === 'manifest' ? [] : sortedParts(record.parts.values())
  return { kind: 'taken', obligation: describeObligation(record), parts }
}

function refuseTakeover(
  state: MemoryLedgerState,
  record: ObligationRecord,
  { owner, epoch, lane }: Parameters<Ledger['takeover']>[1],
  nowMs: number
): Refusal | undefined {
  // What an unknown life owns could be taken from it at once, and paid for by both.
  if (!state.owners.has(owner)) return 'fenced'
  if (record.owner !== undefined) return mayBeDead(state, record.owner, nowMs) ? undefined : 'alive'

  const lowest = Math.min(...[...record.parts.values()].map(part => part.partition))
  if (epoch !== state.epoch || state.partitions.get(lowest)?.lane !== lane) return 'fenced' // I8
  if (state.draining !== undefined) return 'draining'
  if (state.pause !== undefined) return 'paused'
  return record.notBeforeMs <= nowMs ? undefined : 'alive'
}
