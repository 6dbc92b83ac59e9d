import type { Clock } from '@pointsman/core/ports/clock'
import type { ApiClient } from './api-client.ts'
import type { ProcessRunner } from './process-runner.ts'
import type { RunFile } from './run-file.ts'
import type { Terminal } from './terminal.ts'

/** What the commands of the command line work with. */
export interface CliContext {
  readonly api: ApiClient
  readonly terminal: Terminal
  readonly clock: Clock
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal
  /** `interrupted`, or that many milliseconds have passed. */
  readonly within: (ms: number) => AbortSignal
  readonly run: ProcessRunner
  /** Asks the person at the terminal; false when nobody sits there. */
  readonly confirm: (question: string) => Promise<boolean>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly namespace: string
  /** What `up` left behind under this namespace. */
  readonly runFile: RunFile | undefined
}
