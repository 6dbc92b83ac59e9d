import type { Document } from '@pointsman/core/domain/document'
import type {
  DeadLetters,
  DocumentCodec,
  DocumentWriter,
  GroupReader,
  GroupReaderEvents,
  LogAdmin,
  LogRecord,
  RangeReader
} from '@pointsman/core/ports/event-log'
import { textHash } from '@pointsman/core/runtime/identity'

/** One namespace of its own, with three empty partitions; disposes of all that was opened through it. */
export interface EventLogUnderTest extends AsyncDisposable {
  reader(group: string, instance: string): GroupReader
  ranges(): RangeReader
  admin(): LogAdmin
  codec(): DocumentCodec
  writer(codec: DocumentCodec): DocumentWriter
  deadLetters(): DeadLetters
  /** Appends raw records. @returns the offset of the first. */
  append(
    partition: number,
    records: readonly { readonly key?: string; readonly value?: Uint8Array }[]
  ): Promise<bigint>
  /** Removes records below `start`, as retention does. */
  trim(partition: number, start: bigint): Promise<void>
}

/** What a reader told, as lists. Starts every assigned partition at its entry in `positions`, if there is one. */
export class Listener implements GroupReaderEvents {
  readonly records = new Map<number, LogRecord[]>()
  readonly joins: { readonly partitions: readonly number[]; readonly memberId: string }[] = []
  readonly outsides: (readonly [number, bigint, bigint, bigint])[] = []
  readonly losses: string[] = []
  /** Batches that did not begin where the one before ended, or where `readFrom` said. */
  readonly gaps: (readonly [number, bigint, bigint])[] = []
  /** The next batch wanted; updated by what is taken. */
  readonly positions: Map<number, bigint>
  take: (partition: number) => boolean = () => true
  onJoin: (partitions: readonly number[]) => void = () => undefined
  readonly #reader: GroupReader

  constructor(reader: GroupReader, positions: ReadonlyMap<number, bigint> = new Map()) {
    this.#reader = reader
    this.positions = new Map(positions)
  }

  assigned(partitions: readonly number[], memberId: string): void {
    this.joins.push({ partitions, memberId })
    this.onJoin(partitions)
    for (const partition of partitions) {
      const position = this.positions.get(partition)
      if (position !== undefined) this.#reader.readFrom(partition, position)
    }
  }

  batch(batch: Parameters<GroupReaderEvents['batch']>[0]): boolean {
    if (!this.take(batch.partition)) return false
    const expected = this.positions.get(batch.partition)
    if (expected !== undefined && expected !== batch.from)
      this.gaps.push([batch.partition, expected, batch.from])
    const records = this.records.get(batch.partition) ?? []
    this.records.set(batch.partition, records)
    records.push(...batch.records)
    this.positions.set(batch.partition, batch.next)
    return true
  }

  outside(partition: number, position: bigint, start: bigint, end: bigint): void {
    this.outsides.push([partition, position, start, end])
  }

  lost(reason: string): void {
    this.losses.push(reason)
  }

  offsets(partition: number): readonly bigint[] {
    return (this.records.get(partition) ?? []).map(record => record.offset)
  }
}

export const ascending = (a: number, b: number): number => a - b

export const eventually = { timeout: 20_000, interval: 20 }

export function range(from: number, to: number): readonly bigint[] {
  return Array.from({ length: to - from }, (_, index) => BigInt(from + index))
}

export function lines(count: number): readonly { readonly key: string; readonly value: Uint8Array }[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `key-${index}`,
    value: new TextEncoder().encode(`value ${index}`)
  }))
}

export function aDocument(fields: Partial<Document> = {}): Document {
  const text = fields.text ?? 'Ein Text über Weichen, 転轍機.'
  return {
    docId: 'guide.md#1',
    sourceId: 'guide.md',
    version: 1_753_000_000_123,
    chunk: 1,
    chunks: 3,
    title: 'Guide',
    text,
    textHash: textHash(text),
    tokens: 11,
    metadata: '{"lang":"de"}',
    deleted: false,
    ...fields
  }
}

export function aRecord(fields: Partial<LogRecord>): LogRecord {
  return { partition: 0, offset: 0n, timestampMs: 1, key: undefined, value: undefined, ...fields }
}
