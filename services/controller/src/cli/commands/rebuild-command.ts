import type { Command } from 'commander'
import { healthReport, type HealthReport } from '../../api/health-report.ts'
import { rebuildBegun } from '../../api/rebuild-begun.ts'
import { askSurely } from '../ask-surely.ts'
import { clean } from '../clean.ts'
import type { CliContext } from '../cli-context.ts'
import { CliError, exitCodes } from '../cli-error.ts'
import { LiveLine } from '../live-line.ts'
import { type OutputOptions, print } from '../print.ts'
import { type RebuildOutcome, rebuildProgress, renderRebuildOutcome } from '../render-rebuild.ts'
import { jsonFlag, parseDuration } from './options.ts'

const answerMs = 30_000
const lookEveryMs = 500

interface RebuildOptions extends OutputOptions {
  readonly reason?: string
  readonly yes?: boolean
  readonly wait?: boolean
  readonly timeout: number
}

export function addRebuildCommand(program: Command, context: CliContext): void {
  program
    .command('rebuild')
    .description('distrust the ledger, and have it rebuilt from log, index and provider')
    .option('-r, --reason <text>', 'why; shown to everybody who looks')
    .option('-y, --yes', 'do it without asking')
    .option('-w, --wait', 'until it is done; also for one that is under way')
    .option('--timeout <duration>', 'wait no longer than', parseDuration, parseDuration('1h'))
    .addOption(jsonFlag())
    .addHelpText(
      'after',
      '\nA ledger that was lost is found out and rebuilt by itself: this is for one that is wrong and does not show it.' +
        '\nNothing is admitted meanwhile; requests in flight may be paid for twice.' +
        '\nWithout --yes, and without somebody to ask, it exits with 3.'
    )
    .action(async (options: RebuildOptions) => {
      const outcome = await rebuild(context, options)
      print(context, options, outcome, renderRebuildOutcome)
    })
}

async function rebuild(context: CliContext, options: RebuildOptions): Promise<RebuildOutcome> {
  const { clock } = context
  const beganMs = clock.nowMs()
  const before = await health(context)
  const begun =
    before.rebuild === null ? await begin(context, options, before) : { begun: false, ...before.rebuild }
  const { because } = begun
  if (options.wait !== true) return { begun: begun.begun, because, tookMs: null }
  await follow(context, begun.begun ? before.ledgerId : null, options.timeout)
  return { begun: begun.begun, because, tookMs: clock.nowMs() - beganMs }
}

async function begin(
  context: CliContext,
  { json, reason, yes }: RebuildOptions,
  { ledgerId }: HealthReport
): Promise<{ readonly begun: boolean; readonly because: string }> {
  if (ledgerId === null) {
    const hint = 'when the ledger is gone it is rebuilt by itself, as soon as Redis answers'
    throw new CliError(exitCodes.refused, 'LEDGER_UNAVAILABLE', 'the ledger does not answer', hint)
  }
  if (reason === undefined) {
    const hint = 'say why with --reason'
    throw new CliError(exitCodes.usage, 'USAGE', 'no rebuild is under way; to begin one needs a reason', hint)
  }
  const question =
    'Stop admission, and rebuild the ledger from log, index and provider? Requests in flight may be paid for twice.'
  if (yes !== true && (json === true || !(await context.confirm(question)))) {
    throw new CliError(exitCodes.refused, 'NOT_CONFIRMED', 'not confirmed', '--yes begins it')
  }
  const { api, within } = context
  return await askSurely(context, () =>
    api.post('/v1/ledger/rebuild', { ledgerId, reason }, rebuildBegun, within(answerMs))
  )
}

async function health({ api, within }: CliContext): Promise<HealthReport> {
  return await api.get('/v1/health', healthReport, within(answerMs))
}

/** @param replaced - the ledger that is no more; null when that is known. */
async function follow(context: CliContext, replaced: string | null, timeoutMs: number): Promise<void> {
  const { clock, interrupted, terminal } = context
  const live = new LiveLine(terminal)
  const untilMs = clock.nowMs() + timeoutMs
  try {
    for (;;) {
      const { ledgerId, rebuild: progress } = await askSurely(context, () => health(context), {
        isInDoubt: true,
        onWait: error => live.show(clean(error.message))
      })
      if (progress !== null) live.show(rebuildProgress(progress))
      else if (ledgerId !== null && ledgerId !== replaced) return
      if (clock.nowMs() >= untilMs) {
        const hint = 'it goes on; `pointsman rebuild --wait` shows how far it is'
        throw new CliError(exitCodes.timedOut, 'TIMED_OUT', 'the rebuild is not done yet', hint)
      }
      await clock.sleep(lookEveryMs, interrupted)
    }
  } catch (error) {
    if (!interrupted.aborted) throw error
    throw new CliError(exitCodes.failed, 'INTERRUPTED', 'the rebuild goes on without this command')
  } finally {
    live.clear()
  }
}
