// Splits parts off an obligation: into a new one, or into the manifest that their owner is filling.
import type { ObligationId, OwnerId } from '../../domain/identity.ts'
import type { Ledger, MoveFields, Part } from '../../ports/ledger.ts'
import { mayRelease, newManifest } from './ledger-manifests.ts'
import type { MemoryLedgerState, ObligationRecord } from './ledger-state.ts'
import { endIfEmpty, heldBy, needsVector, partKey, sortedParts } from './ledger-state.ts'

type MoveReply = Awaited<ReturnType<Ledger['move']>>
type MoveTarget = Parameters<Ledger['move']>[3]

const maxFailures = 15

export function move(
  state: MemoryLedgerState,
  from: ObligationId,
  owner: OwnerId,
  parts: readonly Part[],
  to: MoveTarget,
  fields: MoveFields,
  nowMs: number
): MoveReply {
  if (to.kind === 'manifest') return moveIntoManifest(state, from, owner, parts, to.id, fields)
  const known = state.obligations.get(to.id)
  if (known !== undefined) {
    const { movedBy } = known
    const mine = movedBy?.owner === owner && movedBy.from === from
    if (!mine || (known.owner !== undefined && known.owner !== owner)) return { kind: 'gone' }
    return { kind: 'moved', parts: sortedParts(known.parts.values()) }
  }
  const source = heldBy(state, from, owner)
  if (source === undefined) return { kind: 'gone' }

  const chosen = withSharers(source, parts)
  if (chosen.length === 0) return { kind: 'moved', parts: [] }
  if (!mayRelease(source)) return { kind: 'held' } // I9
  const target = splitOff(state, source, to, fields, nowMs)
  const moved = carryOver(state, source, target, chosen, fields)
  return { kind: 'moved', parts: sortedParts(moved) }
}

function moveIntoManifest(
  state: MemoryLedgerState,
  from: ObligationId,
  owner: OwnerId,
  parts: readonly Part[],
  to: ObligationId,
  fields: MoveFields
): MoveReply {
  const known = state.obligations.get(to)
  // A switch may have made an orphan of it, which somebody has adopted since: perhaps as the very source.
  const isOurs = known === undefined || (from !== to && known.owner === owner && known.kind === 'manifest')
  // A caller who missed the answer is told of the parts that it named: they are there.
  const arrived = isOurs ? parts.flatMap(part => known?.parts.get(partKey(part)) ?? []) : []
  const source = heldBy(state, from, owner)
  if (source === undefined) return arrived.length === 0 ? { kind: 'gone' } : replyOf(arrived)

  const chosen = withSharers(source, parts)
  if (chosen.length === 0) return replyOf(arrived)
  const isOpen = known === undefined || (isOurs && known.state === 'open')
  if (!mayRelease(source) || !isOpen) return { kind: 'held' } // I9
  const { rank, sinceMs } = source
  const target = known ?? newManifest(state, to, owner, { rank, sinceMs, reason: fields.reason })
  const moved = carryOver(state, source, target, chosen, fields)
  // Whoever misses the answer does not know of those that were not named: `settle` tells of them.
  const named = new Set(parts.map(partKey))
  for (const part of sortedParts(moved)) {
    if (!named.has(partKey(part))) target.joined.add(partKey(part))
  }
  return replyOf([...moved, ...arrived])
}

/** A place may have been named more than once. */
function replyOf(parts: readonly Part[]): MoveReply {
  const unique = new Map(parts.map(part => [partKey(part), part]))
  return { kind: 'moved', parts: sortedParts(unique.values()) }
}

function carryOver(
  state: MemoryLedgerState,
  source: ObligationRecord,
  target: ObligationRecord,
  chosen: readonly Part[],
  fields: MoveFields
): Part[] {
  const moved = chosen.map(part => ({
    ...part,
    failures: Math.min(maxFailures, part.failures + fields.failures)
  }))
  for (const part of moved) {
    const key = partKey(part)
    source.parts.delete(key)
    source.joined.delete(key)
    target.parts.set(key, part)
    if (!needsVector(part)) continue
    const waiting = state.paying.get(part.content)?.parts ?? 0
    state.paying.set(part.content, { obligation: target.id, parts: waiting })
  }
  endIfEmpty(state, source)
  return moved
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
  to: MoveTarget,
  fields: MoveFields,
  nowMs: number
): ObligationRecord {
  const number = state.nextObligation
  state.nextObligation += 1
  const waits = to.kind === 'orphan' && fields.delayMs > 0
  const record: ObligationRecord = {
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
    job: undefined,
    answer: undefined,
    parts: new Map(),
    joined: new Set()
  }
  state.obligations.set(record.id, record)
  return record
}
