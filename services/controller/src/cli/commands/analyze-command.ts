import { Argument, type Command, Option } from 'commander'
import { analysisReport } from '../../switching/analysis/analysis-report.ts'
import type { CliContext } from '../cli-context.ts'
import { type OutputOptions, print } from '../print.ts'
import { renderAnalysis } from '../render-analysis.ts'
import { jsonFlag, parseDuration, parseShare } from './options.ts'

const answerMs = 60_000

interface AnalyzeOptions extends OutputOptions {
  readonly strategy?: string
  readonly share?: number
  readonly deadline?: number
}

export function addAnalyzeCommand(program: Command, { api, terminal, within }: CliContext): void {
  program
    .command('analyze')
    .description(
      'what a switch would do: what is in flight, each strategy with its time and cost, warnings, advice'
    )
    .addArgument(new Argument('<lane>', 'that would take over').choices(['realtime', 'batch']))
    .addOption(
      new Option('-s, --strategy <strategy>', 'to be marked; all are told of').choices([
        'detach',
        'drain',
        'force'
      ])
    )
    .option('--share <share>', 'of the partitions, in that lane afterwards, like 25%', parseShare)
    .option(
      '--deadline <duration>',
      'the switch is aborted when it has not cut by then, like 10m',
      parseDuration
    )
    .addOption(jsonFlag())
    .addHelpText('after', '\nChanges nothing.\n\nExample:\n  pointsman analyze realtime --share 25%')
    .action(async (lane: string, { strategy, share, deadline, ...output }: AnalyzeOptions) => {
      const query = { strategy, share, deadlineMs: deadline }
      const report = await api.get(`/v1/analysis/${lane}`, analysisReport, within(answerMs), query)
      print({ terminal }, output, report, found => renderAnalysis(found, terminal))
    })
}
