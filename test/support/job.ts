import { noJob } from '@pointsman/core/adapters/memory/ledger-manifests'
import type { Job } from '@pointsman/core/ports/job'

/** A job of which nothing is known but what a test cares for. */
export function jobOf(fields: Partial<Job>): Job {
  return { ...noJob, ...fields }
}
