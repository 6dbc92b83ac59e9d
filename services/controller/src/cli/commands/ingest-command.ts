import type { Command } from 'commander'
import { z } from 'zod'
import { type StatusReport, statusReport } from '../../status/status-report.ts'
import { clean } from '../clean.ts'
import type { CliContext } from '../cli-context.ts'
import { CliError, exitCodes, type ExitCode } from '../cli-error.ts'
import { formatCount, formatDuration } from '../format.ts'
import { LiveLine } from '../live-line.ts'
import { type OutputOptions, print } from '../print.ts'
import { type Progress, progressLine } from '../progress-line.ts'
import { renderRejections } from '../render-rejections.ts'
import { runProducer, withoutReport } from '../run-producer.ts'
import { isSettled, progressSince } from '../settlement.ts'
import { jsonFlag, parseDuration } from './options.ts'

const answerMs = 30_000
const lookEveryMs = 500

/** Of what the producer tells, the part that is shown; all of it goes into `--json`. */
export const ingestReport = z.looseObject({
  event: z.literal('report'),
  documents: z.int(),
  unchanged: z.int(),
  emitted: z.int(),
  tombstones: z.int(),
  tokens: z.number(),
  rejected: z.array(z.looseObject({ path: z.string(), id: z.string().optional(), reason: z.string() })),
  rejectedTotal: z.int(),
  notices: z.array(z.string()),
  stopped: z.boolean(),
  seconds: z.number()
})
export type IngestReport = z.output<typeof ingestReport>

const ingestProgress = z.looseObject({
  event: z.literal('progress'),
  documents: z.int(),
  emitted: z.int(),
  rejected: z.int()
})
const waiting = z.looseObject({ event: z.literal('waiting'), reason: z.string() })
const resumed = z.looseObject({ event: z.literal('resumed') })

interface IngestOptions extends OutputOptions {
  readonly wait?: boolean
  readonly follow?: boolean
  readonly timeout: number
}

export function addIngestCommand(program: Command, context: CliContext): void {
  program
    .command('ingest')
    .description('read files and folders, and send what changed since the last time')
    .argument('<path...>', 'files, folders, or - for documents as JSON lines on standard input')
    .option('--wait', 'until all is settled')
    .option('--follow', 'stay, and send whatever changes, until Ctrl-C')
    .option('--timeout <duration>', 'wait at most so long', parseDuration, parseDuration('24h'))
    .addOption(jsonFlag())
    .addHelpText(
      'after',
      '\nOptions of the producer follow two dashes: see `pointsman ingest . -- --help`.\n' +
        '\nExamples:\n  pointsman ingest ./docs --wait\n  pointsman ingest ./docs -- --chunk-tokens 200\n' +
        '  pointsman ingest ./docs --follow\n  cat documents.jsonl | pointsman ingest -'
    )
    .action(async (paths: string[], options: IngestOptions) => {
      const isFollowing = options.follow === true || paths.includes('--follow')
      if (isFollowing && options.wait === true)
        throw new CliError(
          exitCodes.usage,
          'USAGE',
          '--wait is until all is settled, --follow never ends: choose one'
        )
      if (isFollowing) return await follow(context, ['--follow', ...paths], options)
      const before = options.wait === true ? await askStatus(context) : undefined
      const { report, exitCode } = await produce(context, paths)
      if (!report) throw withoutReport(exitCode)

      const progress = before ? await waitUntilSettled(context, before, report, options) : undefined
      print(context, options, { ...report, ...(progress && { settled: progress }) }, found =>
        renderIngest(found)
      )
      if (report.stopped) throw new CliError(exitCodes.failed, 'INTERRUPTED', 'stopped before the end')
    })
}

export async function askStatus({ api, within }: Pick<CliContext, 'api' | 'within'>): Promise<StatusReport> {
  return await api.get('/v1/status', statusReport, within(answerMs))
}

/** Runs the producer, and shows how far it has come. */
export async function produce(
  context: Pick<CliContext, 'run' | 'terminal' | 'env' | 'runFile' | 'namespace'>,
  args: readonly string[],
  { onProgress }: { readonly onProgress?: () => void } = {}
): Promise<{ readonly report: IngestReport | undefined; readonly exitCode: ExitCode }> {
  const live = new LiveLine(context.terminal)
  let report: IngestReport | undefined
  const exitCode = await runProducer(context, args, event => {
    const ended = ingestReport.safeParse(event)
    if (ended.success) report = ended.data
    showWaiting(live, event)
    if (!onProgress) showProgress(live, event)
    onProgress?.()
  })
  live.clear()
  return { report, exitCode }
}

/** Shows each round that did something, until the producer ends. */
async function follow(context: CliContext, args: readonly string[], options: OutputOptions): Promise<void> {
  const live = new LiveLine(context.terminal)
  const exitCode = await runProducer(context, args, event => {
    showWaiting(live, event)
    showProgress(live, event)
    const ended = ingestReport.safeParse(event)
    if (ended.success || resumed.safeParse(event).success) live.clear()
    if (ended.success) print(context, options, ended.data, renderIngest)
  })
  live.clear()
  if (exitCode !== exitCodes.done)
    throw new CliError(exitCode, 'PRODUCER_FAILED', 'the producer follows no longer')
}

function showWaiting(live: LiveLine, event: unknown): void {
  const waits = waiting.safeParse(event)
  if (waits.success) live.show(`waiting: ${clean(waits.data.reason)}`)
}

function showProgress(live: LiveLine, event: unknown): void {
  const goes = ingestProgress.safeParse(event)
  if (!goes.success) return
  const { documents, emitted, rejected } = goes.data
  const refused = rejected > 0 ? `, ${formatCount(rejected)} rejected` : ''
  live.show(`${formatCount(documents)} texts read, ${formatCount(emitted)} documents sent${refused}`)
}

async function waitUntilSettled(
  context: CliContext,
  before: StatusReport,
  report: IngestReport,
  { timeout }: IngestOptions
): Promise<Progress> {
  const { clock, terminal, interrupted } = context
  const live = new LiveLine(terminal)
  const deadlineMs = clock.nowMs() + timeout
  for (;;) {
    const now = await askStatus(context)
    const progress = progressSince(before, now, report.emitted + report.tombstones)
    if (isSettled(now)) {
      live.end(progressLine(progress))
      return progress
    }
    live.show(progressLine(progress))
    if (clock.nowMs() > deadlineMs) {
      live.end()
      const why = now.lag ? `${now.lag.status}: ${now.lag.because}` : 'lag is not known'
      throw new CliError(
        exitCodes.timedOut,
        'TIMED_OUT',
        `not settled in time (${why})`,
        'see `pointsman lag`'
      )
    }
    await clock.sleep(lookEveryMs, interrupted)
  }
}

function renderIngest({
  documents,
  unchanged,
  emitted,
  tombstones,
  tokens,
  rejected,
  rejectedTotal,
  seconds,
  notices
}: IngestReport): string {
  const lines = [
    `${formatCount(documents)} texts read in ${formatDuration(seconds * 1000)}: ${formatCount(emitted)} documents sent ` +
      `(${formatCount(tokens)} tokens), ${formatCount(unchanged)} unchanged, ${formatCount(tombstones)} deleted`
  ]
  lines.push(...renderRejections({ rejected, rejectedTotal }))
  return [...lines, ...notices.map(clean)].join('\n')
}
