import type { Command } from 'commander'
import { z } from 'zod'
import { letterDetail, letterReport } from '../../dead-letters/letter-report.ts'
import type { CliContext } from '../cli-context.ts'
import { CliError, exitCodes } from '../cli-error.ts'
import { type OutputOptions, print } from '../print.ts'
import { renderLetter, renderLetters } from '../render-letters.ts'
import { jsonFlag, parseCount } from './options.ts'

const answerMs = 60_000

const list = z.object({ letters: z.array(letterReport) })
const replayed = z.object({ replayed: z.int() })

export function addDeadLetterCommands(program: Command, context: CliContext): void {
  const { api, terminal, within } = context
  const letters = program.command('dead-letters').description('documents that were given up, and why')

  letters
    .command('list', { isDefault: true })
    .description('oldest first')
    .option('-n, --limit <count>', 'how many', parseCount(1, 10_000), 100)
    .addOption(jsonFlag())
    .action(async (options: OutputOptions & { readonly limit: number }) => {
      const answer = await api.get('/v1/dead-letters', list, within(answerMs), { limit: options.limit })
      print(context, options, answer, found => renderLetters(found.letters, terminal.columns))
    })

  letters
    .command('show')
    .description('one of them, with its document')
    .argument('<id>', 'as `list` shows it')
    .addOption(jsonFlag())
    .action(async (id: string, options: OutputOptions) => {
      const path = `/v1/dead-letters/${encodeURIComponent(id)}`
      const letter = await api.get(path, letterDetail, within(answerMs))
      print(context, options, letter, found => renderLetter(found, terminal))
    })

  letters
    .command('replay')
    .description('produce their documents again; they go through the active lane')
    .argument('[id...]', 'as `list` shows them')
    .option('--all', 'all of them')
    .addOption(jsonFlag())
    .addHelpText(
      'after',
      '\nExamples:\n  pointsman dead-letters replay 0-17 0-18\n  pointsman dead-letters replay --all'
    )
    .action(async (ids: string[], options: OutputOptions & { readonly all?: boolean }) => {
      if (ids.length > 0 === (options.all === true)) {
        throw new CliError(exitCodes.usage, 'USAGE', 'name the dead letters to replay, or say --all')
      }
      const body = options.all === true ? { all: true } : { ids }
      const answer = await api.post('/v1/dead-letters/replay', body, replayed, within(answerMs))
      print(context, options, answer, ({ replayed: count }) => `${count} replayed.`)
    })
}
