// One switch, asked for as `pointsman switch` does it, and watched until the new lane has taken over.

import { randomBytes } from 'node:crypto'
import { lookAtTakeover } from '../../services/controller/src/cli/after-the-cut.ts'
import { askSurely } from '../../services/controller/src/cli/ask-surely.ts'
import type { CliContext } from '../../services/controller/src/cli/cli-context.ts'
import { askStatus } from '../../services/controller/src/cli/commands/ingest-command.ts'
import { renderSwitched } from '../../services/controller/src/cli/render-switch.ts'
import { type SwitchReport, switchReport } from '../../services/controller/src/switching/switch-report.ts'
import { inFlight, readJobs } from './job-lines.ts'

export type LaneName = SwitchReport['target']

/** Figures of a switch. */
export interface LaneChange {
  readonly from: LaneName | 'mixed'
  readonly to: LaneName
  readonly epoch: number
  /** From the accepted command to the cut. */
  readonly cutMs: number | null
  /** From the accepted command to the first admission in the new lane; null: nothing was to be admitted, or not within 2 s. */
  readonly firstAdmissionMs: number | null
  /** Until every partition that had something to admit had its first; null likewise. */
  readonly allPartitionsMs: number | null
  /** Documents in the log that nobody had admitted, just before. */
  readonly unread: number
  /** Documents that wait for jobs in flight. */
  readonly documentsInJobs: number
  /** Documents of jobs not yet sent, given to the new lane. */
  readonly released: number
}

export interface LanesChanged {
  readonly change: LaneChange
  /** In flight: at the provider just before the cut, and still after it. */
  readonly jobIds: readonly string[]
  /** For a person. */
  readonly told: string
}

const answerMs = 60_000

/** @throws when it was not made, with the reason. */
export async function changeLanes(
  context: CliContext,
  to: LaneName,
  reason: string,
  signal: AbortSignal
): Promise<LanesChanged> {
  const { api, terminal, within } = context
  const { ledger, lag } = await askStatus(context)
  const before = inFlight(await readJobs(context, signal))
  const switchId = `demo-${randomBytes(4).toString('hex')}`
  const wish = { switchId, target: to, actor: 'npm start', reason }
  const report = await askSurely(context, () =>
    api.post('/v1/switches', wish, switchReport, within(answerMs))
  )
  if (report.state !== 'completed') {
    throw new Error(`the switch to ${to} is ${report.state}: ${report.because}`)
  }
  const after = new Set(inFlight(await readJobs(context, signal)).map(({ id }) => id))
  const jobs = before.filter(({ id }) => after.has(id))
  const takeover = await lookAtTakeover(context, report)
  const sinceAccepted = (sinceCutMs: number | null): number | null =>
    sinceCutMs === null || report.tookMs === null ? null : report.tookMs + sinceCutMs
  const change = {
    from: ledger?.mode ?? 'mixed',
    to,
    epoch: report.epoch,
    cutMs: report.tookMs,
    firstAdmissionMs: sinceAccepted(takeover.firstAdmissionMs),
    allPartitionsMs: sinceAccepted(takeover.allPartitionsMs),
    unread: lag?.totals.unread ?? 0,
    documentsInJobs: jobs.reduce((sum, { documents }) => sum + documents, 0),
    released: report.released
  }
  const told = renderSwitched(report, takeover, terminal)
  return { change, jobIds: jobs.map(({ id }) => id), told }
}
