// What the log holds from W on: of each document the newest version that can be admitted. Versions before it will not be
// paid for, though the ledger that knew of them is gone.
import type { LogBounds } from '@pointsman/core/ports/event-log'
import { prepareRecord } from '@pointsman/core/runtime/prepare-record'
import type { Parts } from '../parts.ts'
import { NewestTable } from '../verify/newest-table.ts'
import { chunked } from './chunked.ts'

const documentsAtOnce = 1_000

/** @param watermarks - where to begin; the start of a partition that is missing. */
export async function readAhead(
  { codec, ranges, spec }: Pick<Parts, 'codec' | 'ranges' | 'spec'>,
  watermarks: ReadonlyMap<number, bigint>,
  bounds: ReadonlyMap<number, LogBounds>,
  onProgress: (done: number, total: number) => Promise<void>,
  signal: AbortSignal
): Promise<NewestTable> {
  const table = new NewestTable()
  const spans = [...bounds].map(([partition, { start, end }]) => {
    const watermark = watermarks.get(partition) ?? start
    return { partition, from: watermark > start ? watermark : start, end }
  })
  const total = spans.reduce((sum, { end, from }) => sum + Math.max(0, Number(end - from)), 0)
  let done = 0
  for (const { end, from, partition } of spans) {
    await onProgress(done, total)
    if (from >= end) continue
    for await (const records of ranges.scan(partition, from, end, signal)) {
      const prepared = await Promise.all(records.map(record => prepareRecord(record, codec, spec)))
      for (const each of prepared) {
        if (each.kind !== 'candidate') continue
        const { content, docKey, offset, version } = each.candidate
        table.note(docKey, { version, partition, offset: Number(offset), content })
      }
      done += records.length
      await onProgress(done, total)
    }
  }
  return table
}

/** Tells the ledger of them. @returns false when the rebuild is somebody else's by now. */
export async function expectNewest({ ledger }: Pick<Parts, 'ledger'>, table: NewestTable): Promise<boolean> {
  for (const places of chunked(table.places(), documentsAtOnce)) {
    const documents = places.map(place => {
      const { content, version } = table.newest(place)
      return { docKey: table.key(place), version, content }
    })
    if (!(await ledger.expect(documents))) return false
  }
  return true
}
