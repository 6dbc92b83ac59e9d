import type { Command } from 'commander'
import { z } from 'zod'
import { problem } from '../../api/problem.ts'
import { verifyProgress, type VerifyReport, verifyReport } from '../../verify/verify-report.ts'
import { problemError } from '../api-client.ts'
import type { CliContext } from '../cli-context.ts'
import { CliError, exitCodes } from '../cli-error.ts'
import { formatCount } from '../format.ts'
import { LiveLine } from '../live-line.ts'
import { type OutputOptions, print } from '../print.ts'
import { renderVerify } from '../render-verify.ts'
import { jsonFlag, parseCount, parseDuration } from './options.ts'

const line = z.discriminatedUnion('kind', [
  verifyProgress.extend({ kind: z.literal('progress') }),
  verifyReport.extend({ kind: z.literal('report') }),
  problem.extend({ kind: z.literal('problem') })
])

const phases = {
  log: 'reading the log',
  index: 'reading the index',
  ledger: 'asking the ledger',
  repair: 'mending'
} as const

interface VerifyOptions extends OutputOptions {
  readonly examples: number
  readonly all?: boolean
  readonly repair?: boolean
  readonly removeUnknown?: boolean
  readonly timeout: number
}

export function addVerifyCommand(program: Command, context: CliContext): void {
  program
    .command('verify')
    .description('compare log, ledger and Weaviate document by document, and name every difference')
    .option('-n, --examples <count>', 'differences of each kind that are named', parseCount(0, 1000), 10)
    .option('--all', 'name all differences')
    .option('--repair', 'mend what is found, then compare again')
    .option('--remove-unknown', 'with --repair: objects that nobody knows go, however many they are')
    .option('--timeout <duration>', 'give up after', parseDuration, parseDuration('1h'))
    .addOption(jsonFlag())
    .addHelpText('after', '\nExits with 1 when there is a difference; with --repair, when one is left.')
    .action(async (options: VerifyOptions) => {
      if (options.removeUnknown === true && options.repair !== true) {
        throw new CliError(exitCodes.usage, 'USAGE', '--remove-unknown is of use with --repair only')
      }
      const report = await askVerify(context, options)
      print(context, options, report, found => renderVerify(found, context.terminal))
      if (!report.consistent) throw new CliError(exitCodes.failed, 'DIFFERENCES', 'there are differences')
    })
}

/** Runs a verify and shows how far it has come. */
export async function askVerify(
  { api, terminal, within }: Pick<CliContext, 'api' | 'terminal' | 'within'>,
  options: Omit<VerifyOptions, 'json'>
): Promise<VerifyReport> {
  const live = new LiveLine(terminal)
  const body = {
    examples: options.examples,
    all: options.all === true,
    repair: options.repair === true,
    removeUnknown: options.removeUnknown === true
  }
  try {
    for await (const raw of api.lines('/v1/verify', body, within(options.timeout))) {
      const told = line.safeParse(raw)
      if (!told.success) break
      if (told.data.kind === 'problem') throw problemError(told.data)
      if (told.data.kind === 'report') return verifyReport.parse(told.data)
      const { phase, done, total } = told.data
      if (terminal.isLive) live.show(`${phases[phase]}: ${formatCount(done)}/${formatCount(total)}`)
    }
  } finally {
    if (terminal.isLive) live.clear()
  }
  throw new CliError(
    exitCodes.failed,
    'UNUSABLE_ANSWER',
    'verify ended without a report',
    'see the log of the controller'
  )
}
