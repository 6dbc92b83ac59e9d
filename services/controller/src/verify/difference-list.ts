import type { Newest } from './newest-table.ts'
import { differenceKinds, type DifferenceKind, type Example, type VerifyReport } from './verify-report.ts'

/** A difference as found: its document is named, or stands in the log where it can be read again. */
export interface Difference {
  readonly docId: string | undefined
  readonly detail: string
  readonly version: number | null
  readonly partition: number | null
  readonly offset: number | null
  readonly objectId: string | null
}

export function differenceAt({ offset, partition, version }: Newest, detail: string): Difference {
  return { docId: undefined, detail, version, partition, offset, objectId: null }
}

type Listed = DifferenceKind | 'dead'
type Found = VerifyReport['dead']

/** Counts every difference, and keeps the first of each kind. */
export class DifferenceList {
  readonly #limit: number
  readonly #counts = new Map<Listed, number>()
  readonly #kept = new Map<Listed, Difference[]>()

  /** @param limit - so many of each kind are kept. */
  constructor(limit: number) {
    this.#limit = limit
  }

  add(kind: Listed, difference: Difference): void {
    this.#counts.set(kind, this.count(kind) + 1)
    const kept = this.#kept.get(kind) ?? []
    if (kept.length < this.#limit) kept.push(difference)
    this.#kept.set(kind, kept)
  }

  count(kind: Listed): number {
    return this.#counts.get(kind) ?? 0
  }

  get isEmpty(): boolean {
    return differenceKinds.every(kind => this.count(kind) === 0)
  }

  /** @param nameOf - the docId of a record in the log. */
  async found(
    kind: Listed,
    nameOf: (partition: number, offset: number) => Promise<string | undefined>
  ): Promise<Found> {
    const examples: Example[] = []
    for (const difference of this.#kept.get(kind) ?? []) {
      examples.push({ ...difference, docId: await named(difference, nameOf) })
    }
    return { count: this.count(kind), examples }
  }
}

async function named(
  { docId, partition, offset }: Difference,
  nameOf: (partition: number, offset: number) => Promise<string | undefined>
): Promise<string> {
  if (docId !== undefined) return docId
  if (partition === null || offset === null) return '(unknown)'
  return (await nameOf(partition, offset)) ?? `(record ${offset} of partition ${partition}, expired by now)`
}
