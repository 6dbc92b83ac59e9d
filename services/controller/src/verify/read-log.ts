import type { EmbeddingSpec } from '@pointsman/core/domain/identity'
import type { DocumentCodec, LogBounds, LogRecord, RangeReader } from '@pointsman/core/ports/event-log'
import { docKey, paymentKey } from '@pointsman/core/runtime/identity'
import type { NewestTable } from './newest-table.ts'

export interface LogCounts {
  records: number
  unreadable: number
  unknownSchema: number
  /** Places of unreadable records, at most `maxUnreadableKept`. */
  readonly unreadableAt: LogRecord[]
}

const maxUnreadableKept = 10_000

/** Notes the newest version of every document between the bounds. */
export async function readLog(
  deps: {
    readonly ranges: Pick<RangeReader, 'scan'>
    readonly codec: Pick<DocumentCodec, 'decode'>
    readonly spec: EmbeddingSpec
  },
  bounds: ReadonlyMap<number, LogBounds>,
  table: NewestTable,
  onProgress: (records: number) => void,
  signal: AbortSignal
): Promise<LogCounts> {
  const counts: LogCounts = { records: 0, unreadable: 0, unknownSchema: 0, unreadableAt: [] }
  for (const [partition, { start, end }] of bounds) {
    for await (const records of deps.ranges.scan(partition, start, end, signal)) {
      const decoded = await Promise.all(records.map(record => deps.codec.decode(record)))
      for (const [index, record] of records.entries()) {
        const answer = decoded[index]
        if (answer?.kind === 'document') note(table, record, answer.document, deps.spec)
        else if (answer?.kind === 'unknown-schema') counts.unknownSchema += 1
        else {
          counts.unreadable += 1
          if (counts.unreadableAt.length < maxUnreadableKept)
            counts.unreadableAt.push({ ...record, value: undefined })
        }
      }
      counts.records += records.length
      onProgress(counts.records)
    }
  }
  return counts
}

function note(
  table: NewestTable,
  { partition, offset }: LogRecord,
  document: {
    readonly docId: string
    readonly version: number
    readonly textHash: string
    readonly deleted: boolean
  },
  spec: EmbeddingSpec
): void {
  table.note(docKey(document.docId), {
    version: document.version,
    partition,
    offset: Number(offset),
    content: document.deleted ? undefined : paymentKey(spec, document.textHash)
  })
}
