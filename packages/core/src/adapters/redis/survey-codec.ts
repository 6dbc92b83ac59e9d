// Obligations, instances and counts, as lua/survey.lua and lua/read-latest.lua answer them.
import type { ObligationId, OwnerId } from '../../domain/identity.ts'
import type {
  Instance,
  Latest,
  LedgerCounts,
  Obligation,
  ObligationKind,
  ObligationState,
  PartitionProgress,
  Survey
} from '../../ports/ledger.ts'
import { readJob } from './job-codec.ts'
import { latestStatuses } from './rebuild-codec.ts'
import { readUInt56 } from './records.ts'
import { asBytes, asFields, asList, asNumber, asOffset, asRows, asText, fieldOf, oneOf } from './reply.ts'
import { byPartition, readState } from './state-codec.ts'

const kinds: readonly ObligationKind[] = ['request', 'orphan', 'manifest']
const states: readonly ObligationState[] = [
  'admitted',
  'paying',
  'open',
  'sealed',
  'uploaded',
  'submitting',
  'submitted',
  'terminal'
]

export function readObligation(raw: unknown): Obligation {
  const fields = asFields(raw)
  const parts = [...fields].flatMap(([name, count]) => {
    const p = /^parts:(\d+)$/.exec(name)?.[1]
    return p === undefined ? [] : [[Number(p), Number(count)] as const]
  })
  const kind = oneOf(fieldOf(fields, 'kind'), kinds)
  const owner = fieldOf(fields, 'owner')
  return {
    id: fieldOf(fields, 'id') as ObligationId,
    kind,
    job: kind === 'manifest' ? readJob(name => fields.get(`job:${name}`)) : undefined,
    owner: owner === '' ? undefined : (owner as OwnerId),
    state: oneOf(fieldOf(fields, 'state'), states),
    attempts: Number(fieldOf(fields, 'attempts')),
    inputsAtRisk: Number(fieldOf(fields, 'inputs')),
    notBeforeMs: Number(fieldOf(fields, 'notBefore')),
    reason: fieldOf(fields, 'reason'),
    sinceMs: Number(fieldOf(fields, 'since')),
    parts: byPartition(parts)
  }
}

/** Oldest first: by the admission of their first part, then by their own making. */
export function readAdoptable(raw: unknown, limit: number): ObligationId[] {
  return asRows(raw, 3)
    .map(([id, rank, number]) => ({ id: asText(id), rank: asNumber(rank), number: asNumber(number) }))
    .sort((a, b) => a.rank - b.rank || a.number - b.number)
    .slice(0, limit)
    .map(({ id }) => id as ObligationId)
}

export function readSurvey(raw: unknown): Survey {
  const [rawState, rawProgress, rawObligations, rawOwners, rawCounts, nowMs] = asList(raw)
  const state = readState(rawState)
  const progress = asRows(rawProgress, 3).flatMap(([p, watermark, unsettled]) => {
    const partition = state.partitions.get(asNumber(p))
    if (partition === undefined) return []
    const entry: PartitionProgress = {
      ...partition,
      watermark: asOffset(watermark),
      unsettled: asNumber(unsettled)
    }
    return [[asNumber(p), entry] as const]
  })
  return {
    state,
    progress: byPartition(progress),
    obligations: asList(rawObligations)
      .map(asList)
      .map(([number, fields]) => ({ number: asNumber(number), obligation: readObligation(fields) }))
      .sort((a, b) => a.number - b.number)
      .map(({ obligation }) => obligation),
    instances: asRows(rawOwners, 2).map(([owner, fields]) => readInstance(asText(owner), asFields(fields))),
    counts: readCounts(asFields(rawCounts)),
    nowMs: asNumber(nowMs)
  }
}

function readInstance(owner: string, fields: ReadonlyMap<string, string>): Instance {
  const prefix = 'member:'
  const members = [...fields].flatMap(([name, member]) =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), member] as const] : []
  )
  return {
    owner: owner as OwnerId,
    instance: fieldOf(fields, 'instance'),
    service: fieldOf(fields, 'service'),
    leaseUntilMs: Number(fieldOf(fields, 'leaseUntil')),
    members: new Map(members),
    trouble: fields.get('trouble') ?? ''
  }
}

function readCounts(fields: ReadonlyMap<string, string>): LedgerCounts {
  const count = (name: keyof LedgerCounts): number => Number(fields.get(name) ?? 0)
  return {
    admitted: count('admitted'),
    unchanged: count('unchanged'),
    covered: count('covered'),
    superseded: count('superseded'),
    embed: count('embed'),
    copy: count('copy'),
    share: count('share'),
    delete: count('delete'),
    indexed: count('indexed'),
    deleted: count('deleted'),
    skipped: count('skipped'),
    dead: count('dead'),
    paidTokens: count('paidTokens'),
    necessaryTokens: count('necessaryTokens'),
    processed: count('processed'),
    jobs: count('jobs')
  }
}

export function readLatest(raw: unknown): (Latest | undefined)[] {
  return asList(raw).map(entry => {
    const packed = asBytes(entry)
    return packed.length === 0 ? undefined : unpackLatest(packed)
  })
}

function unpackLatest(packed: Buffer): Latest {
  const flags = packed.readUInt8(0)
  const version = readUInt56(packed, 1)
  const isTombstone = (flags & 4) !== 0
  return {
    version,
    generation: (flags & 8) === 0 ? version : readUInt56(packed, 20),
    content: isTombstone ? undefined : packed.toString('hex', 8, 16),
    metadataHash: packed.readUInt32BE(16),
    status: oneOf(latestStatuses[flags & 3] ?? '', latestStatuses)
  }
}

export function readFlags(raw: unknown): boolean[] {
  return Array.from(asText(raw), digit => digit === '1')
}
