import type { LogRecord } from '@pointsman/core/ports/event-log'
import type { VerifyDeps } from './verify-deps.ts'

/** The docId of a record in the log, or its key when it cannot be read; undefined when it is gone. */
export async function readName(
  { ranges, codec }: Pick<VerifyDeps, 'ranges' | 'codec'>,
  partition: number,
  offset: number,
  signal: AbortSignal
): Promise<string | undefined> {
  const { records } = await ranges.read(partition, [BigInt(offset)], signal)
  const [record] = records
  return record && (await nameOf(record, codec))
}

export async function nameOf(
  record: LogRecord,
  codec: Pick<VerifyDeps['codec'], 'decode'>
): Promise<string | undefined> {
  const decoded = await codec.decode(record)
  return decoded.kind === 'document' ? decoded.document.docId : record.key
}
