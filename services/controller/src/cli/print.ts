import type { CliContext } from './cli-context.ts'

export interface OutputOptions {
  readonly json?: boolean | undefined
}

/** Prints a result: as one line of JSON, or as a person reads it. */
export function print<Result>(
  { terminal }: Pick<CliContext, 'terminal'>,
  { json }: OutputOptions,
  result: Result,
  render: (result: Result) => string
): void {
  terminal.out(`${json === true ? JSON.stringify(result) : render(result)}\n`)
}
