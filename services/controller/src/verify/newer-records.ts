import type { LogAdmin, LogBounds, RangeReader } from '@pointsman/core/ports/event-log'

/**
 * The documents that the log has got since it was compared. Of two records of one version the later counts, so that a
 * record must not be produced again behind a newer one of its document.
 */
export class NewerRecords {
  readonly #deps: { readonly admin: Pick<LogAdmin, 'bounds'>; readonly ranges: Pick<RangeReader, 'scan'> }
  readonly #readTo: Map<number, bigint>
  readonly #docIds = new Set<string>()

  /** @param bounds - of the log that was compared. */
  constructor(
    deps: { readonly admin: Pick<LogAdmin, 'bounds'>; readonly ranges: Pick<RangeReader, 'scan'> },
    bounds: ReadonlyMap<number, LogBounds>
  ) {
    this.#deps = deps
    this.#readTo = new Map([...bounds].map(([partition, { end }]) => [partition, end]))
  }

  /** Reads up to the end as it is now. */
  async read(signal: AbortSignal): Promise<void> {
    for (const [partition, { end, start }] of await this.#deps.admin.bounds()) {
      const from = this.#readTo.get(partition) ?? start
      if (from >= end) continue
      for await (const records of this.#deps.ranges.scan(partition, from, end, signal)) {
        for (const { key } of records) if (key !== undefined) this.#docIds.add(key)
      }
      this.#readTo.set(partition, end)
    }
  }

  has(docId: string): boolean {
    return this.#docIds.has(docId)
  }
}
