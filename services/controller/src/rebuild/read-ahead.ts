// What the log holds from W on: of each document the newest version that can be admitted. Versions before it will not be
// paid for, though the ledger that knew of them is gone.
import type { Digest } from '@pointsman/core/domain/identity'
import type { LogBounds } from '@pointsman/core/ports/event-log'
import type { Candidate } from '@pointsman/core/ports/ledger'
import { prepareRecord } from '@pointsman/core/runtime/prepare-record'
import type { Parts } from '../parts.ts'
import { NewestTable } from '../verify/newest-table.ts'
import { chunked } from '../chunked.ts'

export interface Ahead {
  readonly newest: NewestTable
  /**
   * Documents with two records of the newest version that differ. Both will be admitted, and the order of admission decides:
   * none of them may be said to wait for a job before.
   */
  readonly contested: ReadonlySet<Digest>
}

const documentsAtOnce = 1_000

/**
 * @param watermarks - where to begin; the start of a partition that is missing.
 * @param isAwaited - whether a job may bring the vector of this content: what is contested is told for these alone.
 */
export async function readAhead(
  { codec, ranges, spec }: Pick<Parts, 'codec' | 'ranges' | 'spec'>,
  watermarks: ReadonlyMap<number, bigint>,
  bounds: ReadonlyMap<number, LogBounds>,
  isAwaited: (content: Digest | undefined) => boolean,
  onProgress: (done: number, total: number) => Promise<void>,
  signal: AbortSignal
): Promise<Ahead> {
  const newest = new NewestTable()
  const ties = new Ties(newest, isAwaited)
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
        ties.note(each.candidate)
        newest.note(docKey, { version, partition, offset: Number(offset), content })
      }
      done += records.length
      await onProgress(done, total)
    }
  }
  return { newest, contested: ties.contested }
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

/** Finds records of one version that differ. The same record twice is none: it is `covered` the second time. */
class Ties {
  readonly contested = new Set<Digest>()
  readonly #newest: NewestTable
  readonly #isAwaited: (content: Digest | undefined) => boolean
  readonly #metadata = new Map<Digest, number>()

  constructor(newest: NewestTable, isAwaited: (content: Digest | undefined) => boolean) {
    this.#newest = newest
    this.#isAwaited = isAwaited
  }

  /** Before the table notes it. */
  note({ content, docKey, metadataHash, version }: Candidate): void {
    const place = this.#newest.find(docKey)
    const former = place === undefined ? undefined : this.#newest.newest(place)
    if (former !== undefined && version < former.version) return
    if (former?.version !== version) this.contested.delete(docKey)
    else if (this.#isAwaited(content) || this.#isAwaited(former.content)) {
      const isSame = former.content === content && this.#metadata.get(docKey) === metadataHash
      if (!isSame) this.contested.add(docKey)
    }
    if (this.#isAwaited(content)) this.#metadata.set(docKey, metadataHash)
  }
}
