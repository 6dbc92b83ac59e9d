import type { Command } from 'commander'
import { z } from 'zod'
import {
  letterDetail,
  letterReport,
  type LetterSelection,
  replayReport
} from '../../dead-letters/letter-report.ts'
import type { CliContext } from '../cli-context.ts'
import { CliError, exitCodes } from '../cli-error.ts'
import { type OutputOptions, print } from '../print.ts'
import { renderLetter, renderLetters, renderReplay } from '../render-letters.ts'
import { jsonFlag, parseCount } from './options.ts'

const answerMs = 60_000

const list = z.object({ letters: z.array(letterReport) })

interface SelectionOptions extends OutputOptions {
  readonly reason?: string
  readonly document?: string
}

export function addDeadLetterCommands(program: Command, context: CliContext): void {
  const { api, terminal, within } = context
  const letters = program.command('dead-letters').description('documents that were given up, and why')

  letters
    .command('list', { isDefault: true })
    .description('oldest first')
    .option('-n, --limit <count>', 'how many', parseCount(1, 10_000), 100)
    .option('--reason <text>', 'only those whose reason holds this text')
    .option('--document <id>', 'only those of this document')
    .addOption(jsonFlag())
    .action(async (options: SelectionOptions & { readonly limit: number }) => {
      const query = { limit: options.limit, ...selectionOf(options) }
      const answer = await api.get('/v1/dead-letters', list, within(answerMs), query)
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
    .description('send their documents through the active lane again, where that is of use')
    .argument('[id...]', 'as `list` shows them')
    .option('--all', 'all of them')
    .option('--reason <text>', 'all whose reason holds this text')
    .option('--document <id>', 'all of this document')
    .addOption(jsonFlag())
    .addHelpText(
      'after',
      '\nWhat was sent again before, has a newer version by now, or cannot be read is named and left out.' +
        '\n\nExamples:\n  pointsman dead-letters replay 0-17 0-18\n  pointsman dead-letters replay --reason timeout'
    )
    .action(async (ids: string[], options: SelectionOptions & { readonly all?: boolean }) => {
      const selection = selectionOf(options)
      const isSelecting = options.all === true || Object.keys(selection).length > 0
      if (ids.length > 0 === isSelecting) {
        throw new CliError(
          exitCodes.usage,
          'USAGE',
          'name the dead letters to replay, or select them: --all, --reason, --document'
        )
      }
      const body = isSelecting ? { all: true, ...selection } : { ids }
      const answer = await api.post('/v1/dead-letters/replay', body, replayReport, within(answerMs))
      print(context, options, answer, renderReplay)
    })
}

function selectionOf({ reason, document }: SelectionOptions): LetterSelection {
  return { ...(reason !== undefined && { reason }), ...(document !== undefined && { docId: document }) }
}
