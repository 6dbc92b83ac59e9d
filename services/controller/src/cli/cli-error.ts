/** 0 done, 1 failed, 2 wrong usage, 3 refused (with the reason), 4 timed out. People's scripts rely on these. */
export const exitCodes = { done: 0, failed: 1, usage: 2, refused: 3, timedOut: 4 } as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** What ends a command, said so that a person knows what to do. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode
  readonly hint: string | undefined
  /** Stable name for `--json`. */
  readonly code: string
  /** `unknown`: what was asked for may have been done all the same. */
  readonly outcome: 'refused' | 'unknown'

  constructor(
    exitCode: ExitCode,
    code: string,
    message: string,
    hint?: string,
    outcome: CliError['outcome'] = 'refused'
  ) {
    super(message)
    this.exitCode = exitCode
    this.code = code
    this.hint = hint
    this.outcome = outcome
  }
}
