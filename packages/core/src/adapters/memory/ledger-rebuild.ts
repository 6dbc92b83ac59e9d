// How an empty ledger learns what was before it. Every step may be repeated, also by a controller that is behind another.
import type { Digest, ObligationId, OwnerId } from '../../domain/identity.ts'
import type { Job } from '../../ports/job.ts'
import type { Correction } from '../../ports/ledger.ts'
import type {
  AwaitedDocument,
  ExpectedDocument,
  RebuiltLanes,
  RestoredObject
} from '../../ports/ledger-rebuild.ts'
import { newManifest } from './ledger-manifests.ts'
import {
  type MemoryLedgerState,
  type ObligationRecord,
  partKey,
  partitionOf,
  shortContent
} from './ledger-state.ts'

/** No life has it: what it owns may be taken over at once. */
const nobody = '0.0' as OwnerId

export function restore(
  state: MemoryLedgerState,
  { content, docKey, generation, version }: RestoredObject
): void {
  state.processed.add(content)
  const latest = state.latest.get(docKey)
  if (latest !== undefined) {
    const isKnown = latest.generation >= generation || latest.status === 'open' || latest.status === 'dead'
    if (isKnown) return
  }
  const status = latest?.status ?? 'indexed'
  const highest = Math.max(version, latest?.version ?? 0)
  const known = { version: highest, generation, content: shortContent(content), metadataHash: 0, status }
  state.latest.set(docKey, known)
}

export function expect(state: MemoryLedgerState, { content, docKey, version }: ExpectedDocument): void {
  const latest = state.latest.get(docKey)
  if (latest === undefined) {
    const nothing = { generation: 0, content: undefined, metadataHash: 0 }
    state.latest.set(docKey, { version, ...nothing, status: 'expected' })
    return
  }
  if (latest.version > version) return
  const isThere = latest.status === 'indexed' && latest.content === shortContent(content)
  // An open one of this version is what a job was adopted for.
  const isOpen = latest.status === 'open' && latest.version === version
  state.latest.set(docKey, { ...latest, version, status: isThere || isOpen ? latest.status : 'expected' })
}

export function adoptJob(
  state: MemoryLedgerState,
  manifest: ObligationId,
  job: Job,
  documents: readonly AwaitedDocument[],
  nowMs: number
): void {
  const record = state.obligations.get(manifest) ?? adopted(state, manifest, job, nowMs)
  for (const document of documents) awaitLine(state, record, document)
}

export function promiseVectors(
  state: MemoryLedgerState,
  manifest: ObligationId,
  contents: readonly Digest[]
): void {
  if (state.obligations.get(manifest)?.state !== 'submitted') return
  for (const content of contents) {
    if (state.paying.has(content) || state.processed.has(content)) continue
    if (!state.promised.has(content)) state.promised.set(content, manifest)
    state.promising.add(manifest)
  }
}

export function endRebuild(state: MemoryLedgerState, { defaultLane, epoch, partitions }: RebuiltLanes): void {
  state.epoch = epoch
  state.defaultLane = defaultLane
  for (const [partition, { frontier, lane }] of partitions) {
    const record = partitionOf(state, partition)
    record.lane = lane
    record.frontier = frontier
  }
  state.rebuild = undefined
}

export function correct(state: MemoryLedgerState, { content, docKey, found, status }: Correction): boolean {
  const latest = state.latest.get(docKey)
  const isAsFound =
    latest !== undefined &&
    latest.status !== 'open' &&
    latest.version === found.version &&
    latest.generation === found.generation &&
    latest.status === found.status
  if (!isAsFound || (status === 'indexed' && latest.content !== shortContent(content))) return false
  state.latest.set(docKey, { ...latest, status })
  if (status === 'indexed') state.processed.add(content)
  return true
}

function adopted(
  state: MemoryLedgerState,
  manifest: ObligationId,
  job: Job,
  nowMs: number
): ObligationRecord {
  const reason = 'adopted from the provider when the ledger was rebuilt'
  const record = newManifest(state, manifest, nobody, { sinceMs: nowMs, reason })
  record.state = 'submitted'
  record.job = job
  return record
}

function awaitLine(state: MemoryLedgerState, manifest: ObligationRecord, document: AwaitedDocument): void {
  const { content, docKey, metadataHash, offset, partition, tokens, version } = document
  const latest = state.latest.get(docKey)
  const isExpected = latest?.status === 'expected' && latest.version === version
  if (!isExpected || manifest.state !== 'submitted' || state.paying.has(content)) return

  const generation = Math.max(version, latest.generation + 1)
  state.latest.set(docKey, {
    version,
    generation,
    content: shortContent(content),
    metadataHash,
    status: 'open'
  })
  const place = { partition, offset }
  const part = {
    ...place,
    docKey,
    content,
    generation,
    action: 'embed',
    replaces: true,
    tokens,
    failures: 0
  } as const
  manifest.parts.set(partKey(place), part)
  state.paying.set(content, { obligation: manifest.id, parts: 1 })
  partitionOf(state, partition).open.add(offset)
}
