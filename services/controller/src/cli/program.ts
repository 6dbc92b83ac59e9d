import { Command, CommanderError } from 'commander'
import type { CliContext } from './cli-context.ts'
import { CliError, exitCodes, type ExitCode } from './cli-error.ts'
import { addAnalyzeCommand } from './commands/analyze-command.ts'
import { addCompletionCommand } from './commands/completion-command.ts'
import { addControlCommands } from './commands/control-commands.ts'
import { addDeadLetterCommands } from './commands/dead-letter-commands.ts'
import { addIngestCommand } from './commands/ingest-command.ts'
import { addEstimateCommand } from './commands/estimate-command.ts'
import { addJobCommands } from './commands/job-commands.ts'
import { addReadCommands } from './commands/read-commands.ts'
import { addRebuildCommand } from './commands/rebuild-command.ts'
import { addSwitchCommands } from './commands/switch-commands.ts'
import { addUpCommands } from './commands/up-commands.ts'
import { addVerifyCommand } from './commands/verify-command.ts'

/**
 * Runs one command line.
 * @param args - without the names of node and of the program.
 * @returns the exit code.
 */
export async function runProgram(
  args: readonly string[],
  context: CliContext,
  version: string
): Promise<ExitCode> {
  const program = new Command('pointsman')
    .description('Embeds a stream of documents from Kafka into Weaviate.')
    .version(version)
    .configureOutput({
      writeOut: text => context.terminal.out(text),
      writeErr: text => context.terminal.err(text)
    })
    .showHelpAfterError('(--help tells more)')
    .exitOverride()
    .addHelpText(
      'after',
      '\nThe controller is found at POINTSMAN_URL, or where `pointsman up` started it.' +
        '\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 timed out.' +
        '\n\nExamples:\n  pointsman up\n  pointsman estimate ./docs\n  pointsman ingest ./docs --wait\n  pointsman lag --watch\n  pointsman verify'
    )
  addUpCommands(program, context)
  addIngestCommand(program, context)
  addEstimateCommand(program, context)
  addReadCommands(program, context)
  addVerifyCommand(program, context)
  addDeadLetterCommands(program, context)
  addSwitchCommands(program, context)
  addAnalyzeCommand(program, context)
  addJobCommands(program, context)
  addControlCommands(program, context)
  addRebuildCommand(program, context)
  addCompletionCommand(program, context)
  for (const command of program.commands) inherit(command)

  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCodes.done
  } catch (error) {
    return tell(error, args.includes('--json'), context)
  }
}

/** Commander copies these to subcommands only when they are set before: ours are added by other files. */
function inherit(command: Command): void {
  command.exitOverride().showHelpAfterError('(--help tells more)')
  for (const child of command.commands) inherit(child)
}

function tell(error: unknown, isJson: boolean, { terminal }: CliContext): ExitCode {
  // Commander has told its own errors by now. Asking for help is not one.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  if (!(error instanceof CliError)) throw error
  if (isJson) {
    const { code, message, hint, exitCode } = error
    if (message !== '') terminal.err(`${JSON.stringify({ error: { code, message, hint, exitCode } })}\n`)
  } else if (message(error) !== '') {
    terminal.err(`${terminal.paint('bad', 'pointsman:')} ${message(error)}\n`)
  }
  return error.exitCode
}

function message({ message: what, hint }: CliError): string {
  return hint === undefined || what === '' ? what : `${what}\n  ${hint}`
}
