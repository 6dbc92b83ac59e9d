import { analysisReport } from '../switching/analysis/analysis-report.ts'
import { type SwitchReport, switchReport } from '../switching/switch-report.ts'
import { askSurely } from './ask-surely.ts'
import { clean } from './clean.ts'
import type { CliContext } from './cli-context.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { LiveLine } from './live-line.ts'
import { switchProgress } from './render-switch.ts'

const answerMs = 30_000
const lookEveryMs = 500
const foretellEvery = 20

/** Shows what a switch waits for, until it has ended. @throws {CliError} Ctrl-C: it goes on. */
export async function followSwitch(context: CliContext, begun: SwitchReport): Promise<SwitchReport> {
  const { api, clock, interrupted, terminal, within } = context
  const live = new LiveLine(terminal)
  // This computer and that of the controller need not agree on the time.
  const abortedAtMs = clock.nowMs() + begun.deadlineAtMs - begun.acceptedMs
  const path = `/v1/switches/${encodeURIComponent(begun.switchId)}`
  let report = begun
  let endsAtMs: number | undefined
  try {
    for (let look = 0; isUnderWay(report); look += 1) {
      if (look % foretellEvery === 0) endsAtMs = await foretell(context, report)
      live.show(switchProgress(report, { nowMs: clock.nowMs(), abortedAtMs, endsAtMs }))
      await clock.sleep(lookEveryMs, interrupted)
      report = await askSurely(context, () => api.get(path, switchReport, within(answerMs)), {
        isInDoubt: true,
        onWait: error => live.show(clean(error.message))
      })
    }
  } catch (error) {
    if (!interrupted.aborted) throw error
    const hint = '`pointsman switch current` shows it, `pointsman switch abort` ends it'
    throw new CliError(exitCodes.failed, 'INTERRUPTED', 'the switch goes on without this command', hint)
  } finally {
    live.clear()
  }
  return report
}

export function isUnderWay({ state }: Pick<SwitchReport, 'state'>): boolean {
  return state === 'draining' || state === 'pending'
}

/** When the last job that it waits for is expected to end. */
async function foretell(
  { api, clock, within }: CliContext,
  { left, share, strategy, target }: SwitchReport
): Promise<number | undefined> {
  if (left === null || left.jobs === 0) return undefined
  try {
    const query = { share, strategy }
    const told = await api.get(`/v1/analysis/${target}`, analysisReport, within(answerMs), query)
    const endMs = told.strategies.find(outlook => outlook.strategy === strategy)?.waitedFor.expectedEndMs
    return endMs == null ? undefined : clock.nowMs() + endMs - told.atMs
  } catch (error) {
    if (error instanceof CliError) return undefined
    throw error
  }
}
