// How obligations change hands: move splits parts off, takeover gives what nobody works at to somebody who does.
import type { ObligationId, OwnerId } from '../../domain/identity.ts'
import type { Ledger, MoveFields, Part } from '../../ports/ledger.ts'
import type { MemoryLedgerState, ObligationRecord } from './ledger-state.ts'
import { describeObligation, heldBy, mayBeDead, needsVector, partKey, sortedParts } from './ledger-state.ts'

type MoveReply = Awaited<ReturnType<Ledger['move']>>
type TakeoverReply = Awaited<ReturnType<Ledger['takeover']>>
type Refusal = Extract<TakeoverReply, { kind: 'refused' }>['reason']

export function move(
  state: MemoryLedgerState,
  from: ObligationId,
  owner: OwnerId,
  parts: readonly Part[],
  to: Parameters<Ledger['move']>[3],
  fields: MoveFields,
  nowMs: number
): MoveReply {
  const target = state.obligations.get(to.id)
  if (target !== undefined) {
    const { movedBy } = target
    const mine = movedBy?.owner === owner && movedBy.from === from
    if (!mine || (target.owner !== undefined && target.owner !== owner)) return { kind: 'gone' }
    return { kind: 'moved', parts: sortedParts(target.parts.values()) }
  }
  const source = heldBy(state, from, owner)
  if (source === undefined) return { kind: 'gone' }

  const chosen = withSharers(source, parts)
  if (chosen.length === 0) return { kind: 'moved', parts: [] }
  const record = splitOff(state, source, to, fields, nowMs)
  for (const part of chosen) {
    const key = partKey(part)
    source.parts.delete(key)
    source.joined.delete(key)
    record.parts.set(key, part)
    if (!needsVector(part)) continue
    const waiting = state.paying.get(part.content)?.parts ?? 0
    state.paying.set(part.content, { obligation: record.id, parts: waiting })
  }
  state.obligations.set(record.id, record)
  if (source.parts.size === 0) state.obligations.delete(source.id)
  return { kind: 'moved', parts: sortedParts(record.parts.values()) }
}

/** One vector is obtained in one place: parts of one payment key stay together. */
function withSharers(source: ObligationRecord, parts: readonly Part[]): Part[] {
  const named = new Set(parts.map(partKey))
  const contents = new Set(
    [...source.parts].flatMap(([key, part]) => (named.has(key) && needsVector(part) ? [part.content] : []))
  )
  return [...source.parts].flatMap(([key, part]) => {
    const shares = needsVector(part) && contents.has(part.content)
    return named.has(key) || shares ? [part] : []
  })
}

function splitOff(
  state: MemoryLedgerState,
  source: ObligationRecord,
  to: Parameters<Ledger['move']>[3],
  fields: MoveFields,
  nowMs: number
): ObligationRecord {
  const number = state.nextObligation
  state.nextObligation += 1
  const waits = to.kind === 'orphan' && fields.delayMs > 0
  return {
    id: to.id,
    number,
    rank: source.rank,
    sinceMs: source.sinceMs,
    movedBy: source.owner === undefined ? undefined : { owner: source.owner, from: source.id },
    kind: to.kind,
    owner: to.kind === 'orphan' ? undefined : source.owner,
    state: 'admitted',
    attempts: Math.min(fields.attempts, source.attempts),
    inputsAtRisk: 0,
    notBeforeMs: waits ? nowMs + fields.delayMs : 0,
    reason: fields.reason,
    answer: undefined,
    parts: new Map(),
    joined: new Set()
  }
}

export function adoptable(state: MemoryLedgerState, limit: number, nowMs: number): ObligationId[] {
  return [...state.obligations.values()]
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
    record.kind = 'request'
    record.state = 'admitted'
    record.inputsAtRisk = 0
    record.notBeforeMs = 0
    // The new owner is told every part now, and the former one's admission is no longer anybody's to repeat.
    record.joined.clear()
    record.answer = undefined
  }
  const parts = sortedParts(record.parts.values())
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
  if (state.phase === 'draining') return 'draining'
  if (state.pause !== undefined) return 'paused'
  return record.notBeforeMs <= nowMs ? undefined : 'alive'
}
