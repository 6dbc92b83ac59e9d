// The fields of {ns}:state, as lua/ledger.lua tells them, and what else is told by partition.
import { Failure } from '../../domain/failure.ts'
import { lanes } from '../../domain/lane.ts'
import type { Handoff, LedgerState, PartitionState, SwitchRefusal } from '../../ports/ledger.ts'
import type { Rebuild, RebuildStage } from '../../ports/ledger-rebuild.ts'
import { asFields, asList, asNumber, asOffset, asRows, asText, fieldOf, oneOf } from './reply.ts'

const stages: readonly RebuildStage[] = ['waiting', 'provider', 'index', 'log', 'jobs']
const refusals: readonly SwitchRefusal['reason'][] = ['epoch', 'draining', 'aborted']

/** Ascending by key. */
export function byPartition<Value>(entries: Iterable<readonly [number, Value]>): Map<number, Value> {
  return new Map([...entries].sort(([a], [b]) => a - b))
}

/** `{p, offset, p, offset, ...}` */
export function readOffsets(raw: unknown): Map<number, bigint> {
  return byPartition(asRows(raw, 2).map(([p, offset]) => [asNumber(p), asOffset(offset)] as const))
}

export function readPartitionState(raw: unknown): PartitionState {
  const [lane, frontier] = asList(raw)
  return { lane: oneOf(asText(lane), lanes), frontier: asOffset(frontier) }
}

export function readState(raw: unknown): LedgerState {
  const fields = asFields(raw)
  const rebuild = readRebuild(fields)
  // What stands there while it is rebuilt is not decided yet.
  const told = rebuild === undefined ? ofEachPartition(fields, 'frontier') : []
  const partitions = told.map(([p, frontier]) => {
    const lane = oneOf(fieldOf(fields, `lane:${p}`), lanes)
    return [p, { lane, frontier: BigInt(frontier) }] as const
  })
  const reason = fields.get('pauseReason')
  const drainEpoch = fields.get('drainEpoch')
  return {
    ledgerId: fieldOf(fields, 'ledger'),
    epoch: numberOf(fields, 'epoch'),
    draining:
      drainEpoch === undefined
        ? undefined
        : { epoch: Number(drainEpoch), sinceMs: numberOf(fields, 'drainSince') },
    pause:
      reason === undefined
        ? undefined
        : { reason, actor: fieldOf(fields, 'pauseActor'), sinceMs: numberOf(fields, 'pauseSince') },
    defaultLane: oneOf(fieldOf(fields, 'default'), lanes),
    partitions: byPartition(partitions),
    handoff: readHandoff(fields),
    rebuild
  }
}

function readRebuild(fields: ReadonlyMap<string, string>): Rebuild | undefined {
  const because = fields.get('rebuildBecause')
  if (because === undefined) return undefined
  return {
    because,
    sinceMs: numberOf(fields, 'rebuildSince'),
    stage: oneOf(fieldOf(fields, 'rebuildStage'), stages),
    done: numberOf(fields, 'rebuildDone'),
    total: numberOf(fields, 'rebuildTotal')
  }
}

export function readDrainReply(raw: unknown): { readonly kind: 'draining' } | SwitchRefusal {
  const reply = asList(raw)
  return readRefusal(reply) ?? { kind: oneOf(asText(reply[0]), ['draining']) }
}

export function readSwitchReply(
  raw: unknown
): { readonly kind: 'switched'; readonly handoff: Handoff } | SwitchRefusal {
  const reply = asList(raw)
  const refusal = readRefusal(reply)
  if (refusal !== undefined) return refusal
  const kind = oneOf(asText(reply[0]), ['switched'])
  const handoff = readHandoff(asFields(reply[1]))
  if (handoff === undefined) throw new Failure('LEDGER_FOREIGN', 'redis: a switch without a cut')
  return { kind, handoff }
}

function readRefusal([kind, reason, epoch]: readonly unknown[]): SwitchRefusal | undefined {
  if (asText(kind) !== 'refused') return undefined
  return { kind: 'refused', reason: oneOf(asText(reason), refusals), epoch: asNumber(epoch) }
}

/** Undefined before the first cut, and for one that was made before ledgers kept more of it than its frontiers. */
function readHandoff(fields: ReadonlyMap<string, string>): Handoff | undefined {
  const epoch = fields.get('cutEpoch')
  if (epoch === undefined) return undefined
  const taken = ofEachPartition(fields, 'taken')
  return {
    epoch: Number(epoch),
    cutMs: numberOf(fields, 'cutAt'),
    frontiers: readCut(fieldOf(fields, 'cut')),
    admittedMs: byPartition(taken.map(([p, ms]) => [p, ms === '' ? undefined : Number(ms)] as const)),
    released: numberOf(fields, 'cutReleased'),
    cancelled: numberOf(fields, 'cutCancelled')
  }
}

/** `p:offset p:offset ...` */
function readCut(text: string): Map<number, bigint> {
  const entries = text === '' ? [] : text.split(' ')
  return byPartition(
    entries.map(entry => {
      const [p = '', offset = ''] = entry.split(':')
      return [Number(p), BigInt(offset)] as const
    })
  )
}

/** Fields named `<name>:<p>`. */
function ofEachPartition(fields: ReadonlyMap<string, string>, name: string): [number, string][] {
  const prefix = `${name}:`
  return [...fields].flatMap(([field, value]): [number, string][] =>
    field.startsWith(prefix) ? [[Number(field.slice(prefix.length)), value]] : []
  )
}

function numberOf(fields: ReadonlyMap<string, string>, name: string): number {
  return Number(fieldOf(fields, name))
}
