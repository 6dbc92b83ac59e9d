// A line for each thing that happens to a job of the batch lane.

import { clean } from '../../services/controller/src/cli/clean.ts'
import type { CliContext } from '../../services/controller/src/cli/cli-context.ts'
import { formatCount } from '../../services/controller/src/cli/format.ts'
import {
  type JobList,
  jobList,
  type JobReport,
  type JobState
} from '../../services/controller/src/jobs/job-report.ts'

/** More than end between two looks. */
const pastShown = 100
const answerMs = 30_000

/** How far a person sees a job: what is between is over in no time. */
type Stage = 'filling' | 'sent' | 'over'

const stages: Readonly<Record<JobState, Stage>> = {
  open: 'filling',
  sealed: 'filling',
  uploaded: 'filling',
  submitting: 'filling',
  submitted: 'sent',
  terminal: 'sent',
  archived: 'over'
}

export class JobLines {
  readonly #say: (text: string) => void
  readonly #known: Map<string, Stage>
  readonly #sent = new Set<string>()

  /** @param before - jobs of which nothing has to be told but what happens to them from now on. */
  constructor(say: (text: string) => void, before: JobList) {
    this.#say = say
    this.#known = new Map([...before.past, ...before.live].map(({ id, state }) => [id, stages[state]]))
  }

  /** How many were sent since the beginning. */
  get sent(): number {
    return this.#sent.size
  }

  tell({ live, past }: JobList): void {
    const here = new Set([...live, ...past].map(({ id }) => id))
    for (const job of [...past.toReversed(), ...live]) this.#tellOf(job)
    for (const [id, stage] of this.#known) {
      if (here.has(id)) continue
      this.#known.delete(id)
      if (stage === 'filling') this.#say(`  job ${clean(id)} was not sent: its documents are given back`)
    }
  }

  #tellOf(job: JobReport): void {
    const before = this.#known.get(job.id)
    const stage = stages[job.state]
    if (before === stage) return
    this.#known.set(job.id, stage)
    if (stage === 'filling') return this.#line(job, 'is being filled')
    if (before !== 'sent') {
      this.#sent.add(job.id)
      const { all } = job.lines
      this.#line(job, `is sent: ${formatCount(all)} texts, ${formatCount(job.tokens)} tokens`)
    }
    if (stage === 'over') {
      const { all, done, failed } = job.lines
      const lost = failed === 0 ? '' : `, ${formatCount(failed)} to be tried again`
      this.#line(job, `is done: ${formatCount(done)} of ${formatCount(all)} texts in the index${lost}`)
    }
  }

  #line({ id }: JobReport, text: string): void {
    this.#say(`  job ${clean(id)} ${text}`)
  }
}

export async function readJobs(
  { api, within }: Pick<CliContext, 'api' | 'within'>,
  signal: AbortSignal
): Promise<JobList> {
  return await api.get('/v1/jobs', jobList, AbortSignal.any([signal, within(answerMs)]), { past: pastShown })
}

/** At the provider, as far as is known here. */
export function inFlight({ live }: JobList): readonly JobReport[] {
  return live.filter(({ state }) => state === 'submitted')
}
