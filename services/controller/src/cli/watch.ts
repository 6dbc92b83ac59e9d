import type { CliContext } from './cli-context.ts'
import { CliError } from './cli-error.ts'
import { type OutputOptions, print } from './print.ts'

const everyMs = 1000
const home = '\u001B[H\u001B[J'

/**
 * Prints once, or again and again until Ctrl-C: over the last picture on a terminal, line by line as JSON. A controller
 * that goes away meanwhile is waited for.
 */
export async function printOrWatch<Result>(
  context: CliContext,
  options: OutputOptions & { readonly watch?: boolean | undefined },
  ask: () => Promise<Result>,
  render: (result: Result) => string
): Promise<void> {
  const { terminal, clock, interrupted } = context
  if (options.watch !== true) return print(context, options, await ask(), render)
  const isDrawnOver = terminal.isLive && options.json !== true
  while (!interrupted.aborted) {
    try {
      const result = await ask()
      if (isDrawnOver) terminal.out(home)
      print(context, options, result, render)
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      if (error.code === 'INTERRUPTED') return
      if (isDrawnOver) terminal.out(home)
      terminal.err(`${terminal.paint('bad', error.message)}\n`)
    }
    await clock.sleep(everyMs, interrupted).catch(() => undefined)
  }
}
