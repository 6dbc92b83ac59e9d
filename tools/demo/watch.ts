// Looks at what goes on until something has happened, shows how far it is, and gives up when nothing moves any more.

import { setTimeout as delay } from 'node:timers/promises'
import type { CliContext } from '../../services/controller/src/cli/cli-context.ts'
import { askStatus, type IngestReport } from '../../services/controller/src/cli/commands/ingest-command.ts'
import { formatCount } from '../../services/controller/src/cli/format.ts'
import { LiveLine } from '../../services/controller/src/cli/live-line.ts'
import { progressLine } from '../../services/controller/src/cli/progress-line.ts'
import { progressSince } from '../../services/controller/src/cli/settlement.ts'
import type { JobList } from '../../services/controller/src/jobs/job-report.ts'
import type { StatusReport } from '../../services/controller/src/status/status-report.ts'
import { JobLines, readJobs } from './job-lines.ts'

/** How things are at one moment. */
export interface View {
  readonly status: StatusReport
  readonly jobs: JobList
  /** Everything there is to send was in the log before this look. */
  readonly isAllSent: boolean
  /** Documents finished since the beginning, of so many that are known to be. */
  readonly done: number
  readonly total: number
  readonly unread: number
  /** Jobs that were sent since the beginning. */
  readonly jobsSent: number
}

export interface WatchDeps {
  readonly context: CliContext
  readonly say: (text: string) => void
  /** Where to look when nothing moves. */
  readonly logs: string
  readonly before: StatusReport
  readonly jobsBefore: JobList
}

const lookEveryMs = 100
/** Where nobody watches, a line every few seconds. */
const looksALine = 40
const standstillMs = 300_000

export class Watch {
  readonly #deps: WatchDeps
  readonly #live: LiveLine
  readonly #jobLines: JobLines
  #sending: Promise<IngestReport> | undefined
  #sent: { readonly report: IngestReport | undefined } | undefined

  constructor(deps: WatchDeps) {
    this.#deps = deps
    this.#live = new LiveLine(deps.context.terminal, looksALine)
    this.#jobLines = new JobLines(text => this.say(text), deps.jobsBefore)
  }

  /** What is being sent: until that has ended, more may come. */
  follow(sending: Promise<IngestReport>): void {
    this.#sending = sending
    sending.then(
      report => void (this.#sent = { report }),
      // Whoever waits for it is told.
      () => void (this.#sent = { report: undefined })
    )
  }

  say(text: string): void {
    this.#live.clear()
    this.#deps.say(text)
  }

  /** @throws when nothing moved for minutes, or sending failed. */
  async until(isReached: (view: View) => boolean, signal: AbortSignal): Promise<View> {
    let last = ''
    let movedMs = performance.now()
    try {
      for (;;) {
        const view = await this.#look(signal)
        if (view.isAllSent) await this.#sending
        if (isReached(view)) return view
        this.#live.show(this.#line(view))
        const now = `${view.done} ${view.unread} ${view.jobsSent} ${computedIn(view.jobs)}`
        if (now !== last) movedMs = performance.now()
        last = now
        if (performance.now() - movedMs > standstillMs) throw this.#standstill(view)
        await delay(lookEveryMs, undefined, { signal })
      }
    } finally {
      this.#live.clear()
    }
  }

  async #look(signal: AbortSignal): Promise<View> {
    const { before, context } = this.#deps
    // Asked first: what is looked at from then on has everything in it.
    const sent = this.#sent
    const status = await askStatus(context)
    const jobs = await readJobs(context, signal)
    this.#jobLines.tell(jobs)
    const { done, total } = progressSince(before, status, totalOf(sent?.report))
    return {
      status,
      jobs,
      isAllSent: sent !== undefined,
      done,
      total,
      unread: status.lag?.totals.unread ?? 0,
      jobsSent: this.#jobLines.sent
    }
  }

  /** `realtime | 136/253 (53.8 %) | 2.5 docs/s | ETA 47 s | $0.0021 | 117 unread, 20 in 1 job (8 done)` */
  #line({ status, jobs, unread }: View): string {
    const inJobs = jobs.live.reduce((sum, { documents }) => sum + documents, 0)
    const computed = formatCount(computedIn(jobs))
    const kept =
      inJobs === 0 ? '' : `, ${formatCount(inJobs)} in ${counted(jobs.live.length, 'job')} (${computed} done)`
    return [
      status.ledger?.mode ?? 'unknown',
      progressLine(progressSince(this.#deps.before, status, totalOf(this.#sent?.report))),
      `${formatCount(unread)} unread${kept}`
    ].join(' | ')
  }

  #standstill({ status }: View): Error {
    const because = status.lag?.because ?? 'lag is not known'
    return new Error(`nothing was settled for minutes: ${because}; see ${this.#deps.logs}`)
  }
}

export function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`
}

/** Lines of living jobs that the provider has done. */
function computedIn({ live }: JobList): number {
  return live.reduce((sum, { lines }) => sum + lines.done, 0)
}

function totalOf(report: IngestReport | undefined): number | undefined {
  return report && report.emitted + report.tombstones
}
