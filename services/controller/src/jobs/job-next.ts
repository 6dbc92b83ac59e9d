import type { Manifest } from './manifests.ts'

export interface NextFacts {
  readonly manifest: Manifest
  readonly nowMs: number
  readonly stale: boolean
  readonly ownerAlive: boolean
  /** Instances of the batch lane that live: any of them takes over what has no owner. */
  readonly embedders: number
}

/** What will happen to a job next, for a person. */
export function nextOf(facts: NextFacts): string {
  if (facts.embedders === 0) return `nothing until an embedder-batch runs: then ${stepOf(facts)}`
  if (facts.ownerAlive) return stepOf(facts)
  return `another instance takes it over when the lease of its owner has run out: then ${stepOf(facts)}`
}

function stepOf({ manifest: { state, job }, nowMs, stale }: NextFacts): string {
  const sent =
    job.notBeforeMs > nowMs
      ? `it is sent when the provider has room, not before ${timeOf(job.notBeforeMs)}`
      : ''
  switch (state) {
    case 'admitted':
    case 'paying':
    case 'open':
      return 'it is sealed when it is full or has waited long enough'
    case 'sealed':
      return sent === '' ? 'its input file is written and uploaded' : sent
    case 'uploaded':
      return sent === '' ? 'the job is created' : sent
    case 'submitting':
      return 'its owner finds out whether the provider has created the job'
    case 'submitted':
      if (job.order === 'abandon') return 'it is given up, as ordered: its texts are paid for elsewhere'
      if (job.order === 'cancel')
        return 'the provider ends it, as ordered; finished lines are kept, the rest goes on elsewhere'
      if (stale)
        return 'it is past our own deadline: it is cancelled, and what it has not done goes on elsewhere'
      return 'the provider works on it; when it ends its results are read'
    case 'terminal':
      return 'its results are read and written to the index; what failed goes on elsewhere'
  }
}

function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
