// Reads the documents of parts again from the log: texts are never kept in the ledger.
import type { LoggedDocument } from '../domain/document.ts'
import type { DocumentCodec, LogRecord, RangeReader } from '../ports/event-log.ts'
import type { Part } from '../ports/ledger.ts'
import type { Gate } from '../runtime/gate.ts'
import type { Item } from './work.ts'

export interface LoadDeps {
  readonly ranges: RangeReader
  readonly codec: DocumentCodec
  readonly gates: { readonly log: Gate; readonly registry: Gate }
}

export interface Loaded {
  readonly items: readonly Item[]
  /** Parts without a readable record: retention or truncation took it. */
  readonly missing: readonly { readonly part: Part; readonly reason: string }[]
}

/** The records of these parts, by `<partition>:<offset>`. */
export async function loadRecords(
  parts: readonly Pick<Part, 'partition' | 'offset'>[],
  { gates, ranges }: LoadDeps,
  signal: AbortSignal
): Promise<ReadonlyMap<string, LogRecord>> {
  const records = new Map<string, LogRecord>()
  for (const [partition, group] of Map.groupBy(parts, part => part.partition)) {
    const offsets = group.map(({ offset }) => offset).sort((a, b) => (a < b ? -1 : 1))
    const found = await gates.log.run(() => ranges.read(partition, offsets, signal), signal)
    for (const record of found.records) records.set(placeOf(record), record)
  }
  return records
}

export async function loadItems(
  parts: readonly Part[],
  deps: LoadDeps,
  signal: AbortSignal
): Promise<Loaded> {
  const records = await loadRecords(parts, deps, signal)
  const items: Item[] = []
  const missing: Loaded['missing'][number][] = []
  for (const part of parts) {
    const record = records.get(placeOf(part))
    const logged = record && (await decode(record, deps, signal))
    if (logged === undefined) missing.push({ part, reason: 'its record is no longer in the log' })
    else items.push({ part, logged })
  }
  return { items, missing }
}

export function placeOf({ offset, partition }: Pick<Part, 'partition' | 'offset'>): string {
  return `${partition}:${offset}`
}

async function decode(
  record: LogRecord,
  { codec, gates }: LoadDeps,
  signal: AbortSignal
): Promise<LoggedDocument | undefined> {
  const decoded = await gates.registry.run(() => codec.decode(record), signal)
  if (decoded.kind !== 'document') return undefined
  const { offset, partition, timestampMs } = record
  return { partition, offset, timestampMs, document: decoded.document }
}
