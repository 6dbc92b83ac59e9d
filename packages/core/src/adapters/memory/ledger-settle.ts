import type { ObligationId, OwnerId } from '../../domain/identity.ts'
import type { Part, SettleAnswer, SettleOutcome, SettleReply, Settlement } from '../../ports/ledger.ts'
import type { MemoryLedgerState, ObligationRecord } from './ledger-state.ts'
import { compareLatest, endIfEmpty, heldBy, needsVector, partKey, shortContent } from './ledger-state.ts'

const maxMore = 256

export function settle(
  state: MemoryLedgerState,
  obligation: ObligationId,
  owner: OwnerId,
  outcomes: readonly SettleOutcome[],
  paidTokens: number
): SettleReply {
  const record = heldBy(state, obligation, owner)
  const answers = outcomes.map(outcome => settleOne(state, record, outcome))
  state.counts.paidTokens += paidTokens
  if (record === undefined) return { answers, more: [] }

  endIfEmpty(state, record)
  const more = [...record.joined].slice(0, maxMore).flatMap(key => record.parts.get(key) ?? [])
  return { answers, more }
}

function settleOne(
  state: MemoryLedgerState,
  obligation: ObligationRecord | undefined,
  { part: named, settlement }: SettleOutcome
): SettleAnswer {
  const part = obligation?.parts.get(partKey(named))
  if (obligation === undefined || part === undefined) {
    const standing = compareLatest(state.latest.get(named.docKey), named)
    return { kind: 'gone', newer: standing === 'newer' }
  }
  const refusal = refuse(state, part, settlement)
  if (refusal !== undefined) return { kind: refusal }

  noteInLatest(state, part, settlement)
  state.counts[settlement] += 1
  if (settlement === 'indexed' && part.content !== undefined) {
    state.processed.add(part.content)
    if (part.action === 'embed') state.counts.necessaryTokens += part.tokens
  }
  removePart(state, obligation, part)
  return { kind: 'settled' }
}

function refuse(
  state: MemoryLedgerState,
  part: Part,
  settlement: Settlement
): 'superseded' | 'current' | undefined {
  const latest = state.latest.get(part.docKey)
  const standing = compareLatest(latest, part)
  if (settlement === 'indexed' && standing === 'newer') return 'superseded'
  // Only a newer content excuses from the work. After a loss `latest` may know less than the part does.
  const unfinished = standing === 'older' || (standing === 'names' && latest?.status === 'open')
  return settlement === 'skipped' && unfinished ? 'current' : undefined
}

function noteInLatest(state: MemoryLedgerState, part: Part, settlement: Settlement): void {
  const latest = state.latest.get(part.docKey)
  const standing = compareLatest(latest, part)
  if (settlement === 'skipped' || standing === 'newer' || standing === 'other') return

  const status = settlement === 'dead' ? 'dead' : 'indexed'
  if (latest !== undefined && standing === 'names') {
    state.latest.set(part.docKey, { ...latest, status })
    return
  }
  const { generation } = part
  const content = shortContent(part.content)
  const version = Math.max(generation, latest?.version ?? 0)
  state.latest.set(part.docKey, { version, generation, content, metadataHash: 0, status })
}

function removePart(state: MemoryLedgerState, obligation: ObligationRecord, part: Part): void {
  const key = partKey(part)
  obligation.parts.delete(key)
  obligation.joined.delete(key)
  state.partitions.get(part.partition)?.open.delete(part.offset)
  if (!needsVector(part)) return

  const parts = (state.paying.get(part.content)?.parts ?? 1) - 1
  if (parts === 0) state.paying.delete(part.content)
  else state.paying.set(part.content, { obligation: obligation.id, parts })
}
