import { type Command, Option } from 'commander'
import type { Lane } from '@pointsman/core/domain/lane'
import { analysisReport } from '../../switching/analysis/analysis-report.ts'
import { strategy, switchHistory, switchReport } from '../../switching/switch-report.ts'
import type { CliContext } from '../cli-context.ts'
import { CliError, exitCodes } from '../cli-error.ts'
import { type OutputOptions, print } from '../print.ts'
import { renderAnalysis } from '../render-analysis.ts'
import { renderHistory, renderSwitch } from '../render-switch.ts'
import { askedBy, newSwitchId, throwSwitch, type WaitOptions } from '../throw-switch.ts'
import { printOrWatch } from '../watch.ts'
import { jsonFlag, parseCount, parseDuration, parseShare } from './options.ts'

const answerMs = 30_000

type ReasonOptions = OutputOptions & { readonly reason?: string }

interface LaneOptions extends WaitOptions {
  readonly strategy: 'detach' | 'drain' | 'force'
  readonly share: number
  readonly deadline: number
  readonly expectedEpoch?: number
  readonly id?: string
  readonly reason?: string
  readonly evenIfUnready?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
}

const meanings: Readonly<Record<Lane, string>> = {
  realtime: 'send each document at once, at the full price',
  batch: 'collect documents in jobs, at half the price'
}

export function addSwitchCommands(program: Command, context: CliContext): void {
  const { api, terminal, within } = context
  const command = program
    .command('switch')
    .description('change lanes while everything runs')
    .addHelpText(
      'after',
      '\nExamples:' +
        '\n  pointsman switch batch --dry-run' +
        '\n  pointsman switch batch --reason "nobody waits at night"' +
        '\n  pointsman switch realtime --strategy drain --deadline 2h' +
        '\n  pointsman switch batch --share 25%'
    )
  for (const lane of ['realtime', 'batch'] as const) addLaneCommand(command, lane, context)

  waitable(command.command('rollback'))
    .description('back to the lanes before the last switch, at once')
    .addOption(reasonOption())
    .addOption(idOption())
    .addOption(unreadyOption())
    .action(
      async (
        options: WaitOptions & ReasonOptions & { readonly id?: string; readonly evenIfUnready?: boolean }
      ) => {
        const switchId = options.id ?? newSwitchId()
        const body = { switchId, evenIfUnready: options.evenIfUnready === true, ...askedBy(options) }
        await throwSwitch(context, options, switchId, () =>
          api.post('/v1/switches/rollback', body, switchReport, within(answerMs))
        )
      }
    )

  command
    .command('abort')
    .description('end the switch that is under way: the old lanes go on')
    .addOption(reasonOption())
    .addOption(jsonFlag())
    .action(async (options: ReasonOptions) => {
      const path = '/v1/switches/current'
      const report = await api.delete(path, askedBy(options), switchReport, within(answerMs))
      print(context, options, report, found => renderSwitch(found, terminal))
    })

  command
    .command('current')
    .description('the switch that is under way')
    .option('-w, --watch', 'show it anew every second')
    .addOption(jsonFlag())
    .action(async (options: OutputOptions & { readonly watch?: boolean }) => {
      const ask = async () =>
        (await api.get('/v1/switches', switchHistory, within(answerMs), { limit: 0 })).current
      await printOrWatch(context, options, ask, found =>
        found === null ? 'No switch is under way.' : renderSwitch(found, terminal)
      )
    })

  command
    .command('history')
    .description('every switch: who, when, why, how it ended')
    .option('-n, --limit <count>', 'how many', parseCount(1, 1000), 20)
    .addOption(jsonFlag())
    .action(async (options: OutputOptions & { readonly limit: number }) => {
      const { limit } = options
      const history = await api.get('/v1/switches', switchHistory, within(answerMs), { limit })
      print(context, options, history, found => renderHistory(found, terminal))
    })

  command
    .command('show')
    .description('all about one switch')
    .argument('<id>', 'as in `switch history`')
    .addOption(jsonFlag())
    .action(async (id: string, options: OutputOptions) => {
      const path = `/v1/switches/${encodeURIComponent(id)}`
      const report = await api.get(path, switchReport, within(answerMs))
      print(context, options, report, found => renderSwitch(found, terminal))
    })
}

function addLaneCommand(parent: Command, lane: Lane, context: CliContext): void {
  const { api, within } = context
  waitable(parent.command(lane))
    .description(meanings[lane])
    .addOption(
      new Option('-s, --strategy <strategy>', 'what becomes of what is in flight')
        .choices(strategy.options)
        .default('detach')
    )
    .option('--share <share>', 'of the partitions, in this lane afterwards, e.g. 25%', parseShare, 1)
    .option('--deadline <duration>', 'aborted unless it has cut by then', parseDuration, parseDuration('10m'))
    .option('--expected-epoch <epoch>', 'refuse if the lanes were switched since', parseCount(0, 2 ** 53 - 1))
    .option('--dry-run', 'only tell what it would do and cost, as `analyze` does')
    .option('-y, --yes', 'force without asking')
    .addOption(unreadyOption())
    .addOption(reasonOption())
    .addOption(idOption())
    .addHelpText(
      'after',
      '\nStrategies:' +
        '\n  detach  cut at once; what was sent goes on in the background' +
        '\n  drain   admit nothing until no request or job of the old lane is left, then cut' +
        '\n  force   cut at once and cancel jobs; what they have finished is kept. Asks before, unless --yes' +
        '\n\nCtrl-C leaves a switch that drains under way.'
    )
    .action(async (options: LaneOptions) => {
      if (options.dryRun === true) return showOutlook(context, lane, options)
      if (options.strategy === 'force' && options.yes !== true) await confirmForce(context, lane, options)
      const switchId = options.id ?? newSwitchId()
      const body = {
        target: lane,
        switchId,
        strategy: options.strategy,
        share: options.share,
        deadlineMs: options.deadline,
        evenIfUnready: options.evenIfUnready === true,
        ...(options.expectedEpoch !== undefined && { expectedEpoch: options.expectedEpoch }),
        ...askedBy(options)
      }
      await throwSwitch(context, options, switchId, () =>
        api.post('/v1/switches', body, switchReport, within(answerMs))
      )
    })
}

/** What the switch would do, for a person to judge. */
async function showOutlook(context: CliContext, lane: Lane, options: LaneOptions): Promise<void> {
  const { api, terminal, within } = context
  const query = { strategy: options.strategy, share: options.share, deadlineMs: options.deadline }
  const report = await api.get(`/v1/analysis/${lane}`, analysisReport, within(answerMs), query)
  print(context, options, report, found => renderAnalysis(found, terminal))
}

/** @throws {CliError} nobody said yes. */
async function confirmForce(context: CliContext, lane: Lane, options: LaneOptions): Promise<void> {
  await showOutlook(context, lane, options)
  const isWanted = options.json !== true && (await context.confirm(`Switch to ${lane} and cancel jobs?`))
  if (isWanted) return
  throw new CliError(exitCodes.refused, 'NOT_CONFIRMED', 'not confirmed', '--yes switches without asking')
}

function waitable(command: Command): Command {
  return command
    .option('--wait', 'until nothing that was admitted before the cut is open')
    .option('--timeout <duration>', 'with --wait: give up after', parseDuration, parseDuration('26h'))
    .addOption(jsonFlag())
}

function reasonOption(): Option {
  return new Option('-r, --reason <text>', 'for the history')
}

function unreadyOption(): Option {
  return new Option('--even-if-unready', 'also when nobody is ready to serve the lane')
}

function idOption(): Option {
  return new Option('--id <id>', 'names the request: repeated with it, nothing is done twice')
}
