import { leftReasons, type LeftReason, type RepairReport } from './repair-report.ts'

/** Counts what a repair does, and names some of what it leaves. */
export class RepairTally {
  requeued = 0
  removed = 0
  corrected = 0
  lettered = 0
  readonly #examples: number
  readonly #left = new Map<LeftReason, { count: number; readonly examples: string[] }>()

  /** @param examples - so many documents are named for each reason. */
  constructor(examples: number) {
    this.#examples = examples
    for (const reason of leftReasons) this.#left.set(reason, { count: 0, examples: [] })
  }

  leave(reason: LeftReason, docId: string): void {
    const left = this.#left.get(reason)
    if (left === undefined) return
    left.count += 1
    if (left.examples.length < this.#examples) left.examples.push(docId)
  }

  report(found: RepairReport['found']): RepairReport {
    const { corrected, lettered, removed, requeued } = this
    const left = (reason: LeftReason): RepairReport['left'][LeftReason] =>
      this.#left.get(reason) ?? { count: 0, examples: [] }
    return {
      found,
      requeued,
      removed,
      corrected,
      lettered,
      left: {
        expired: left('expired'),
        open: left('open'),
        ahead: left('ahead'),
        unknown: left('unknown'),
        moved: left('moved')
      }
    }
  }
}
