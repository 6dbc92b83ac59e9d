import type { Job } from '@pointsman/core/ports/job'
import type { Obligation, Survey } from '@pointsman/core/ports/ledger'

/** A manifest that lives, with its job. */
export type Manifest = Obligation & { readonly job: Job }

/** Oldest first. */
export function manifestsOf({ obligations }: Pick<Survey, 'obligations'>): readonly Manifest[] {
  return obligations
    .filter((obligation): obligation is Manifest => obligation.job !== undefined)
    .toSorted((a, b) => a.sinceMs - b.sinceMs)
}

export function documentsOf({ parts }: Pick<Obligation, 'parts'>): number {
  return [...parts.values()].reduce((sum, documents) => sum + documents, 0)
}

/** Whether we have waited longer for it than we mean to. */
export function isStale({ state, job }: Manifest, nowMs: number, deadlineMs: number): boolean {
  return state === 'submitted' && job.submittedMs > 0 && nowMs > job.submittedMs + deadlineMs
}
