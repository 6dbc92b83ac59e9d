import type { Command } from 'commander'
import { doctorReport } from '../../doctor/doctor-report.ts'
import { lagReport } from '../../lag/lag-report.ts'
import { searchAnswer } from '../../search/search.ts'
import { statusReport } from '../../status/status-report.ts'
import type { CliContext } from '../cli-context.ts'
import { CliError, exitCodes } from '../cli-error.ts'
import { type OutputOptions, print } from '../print.ts'
import { renderDoctor } from '../render-doctor.ts'
import { renderLag } from '../render-lag.ts'
import { renderSearch } from '../render-search.ts'
import { renderStatus } from '../render-status.ts'
import { printOrWatch } from '../watch.ts'
import { jsonFlag, parseCount } from './options.ts'

const answerMs = 30_000

type WatchOptions = OutputOptions & { readonly watch?: boolean }

export function addReadCommands(program: Command, context: CliContext): void {
  const { api, terminal, within } = context

  program
    .command('status')
    .description('mode, lag, rates, spend and health at a glance')
    .option('-w, --watch', 'show it anew every second')
    .addOption(jsonFlag())
    .action(async (options: WatchOptions) => {
      const ask = () => api.get('/v1/status', statusReport, within(answerMs))
      await printOrWatch(context, options, ask, report => renderStatus(report, terminal))
    })

  program
    .command('lag')
    .description(
      'where every document is, by partition: unread, in flight by stage, waiting, done ahead, uncommitted'
    )
    .option('-w, --watch', 'show it anew every second')
    .addOption(jsonFlag())
    .action(async (options: WatchOptions) => {
      const ask = () => api.get('/v1/lag', lagReport, within(answerMs))
      await printOrWatch(context, options, ask, report => renderLag(report, terminal))
    })

  program
    .command('search')
    .description('the documents nearest to a text')
    .argument('<text...>', 'what to look for')
    .option('-n, --limit <count>', 'how many', parseCount(1, 100), 5)
    .addOption(jsonFlag())
    .addHelpText('after', '\nExample:\n  pointsman search "how do I validate a request body"')
    .action(async (words: string[], options: OutputOptions & { readonly limit: number }) => {
      const query = { q: words.join(' '), limit: options.limit }
      const answer = await api.get('/v1/search', searchAnswer, within(answerMs), query)
      print(context, options, answer, found => renderSearch(found, terminal))
    })

  program
    .command('doctor')
    .description('configuration, reachability, versions, settings: what is wrong, and the remedy')
    .addOption(jsonFlag())
    .action(async (options: OutputOptions) => {
      const report = await api.get('/v1/doctor', doctorReport, within(answerMs * 2))
      print(context, options, report, found => renderDoctor(found, terminal))
      if (!report.healthy) throw new CliError(exitCodes.failed, 'UNHEALTHY', 'not healthy')
    })
}
