import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ComposeError } from './compose-error.ts'

const run = promisify(execFile)
const maxOutputBytes = 64 * 1024 * 1024

export interface CallOptions {
  readonly env: NodeJS.ProcessEnv
  readonly cwd?: string
}

/**
 * Runs a program to its end and gives back what it wrote to standard output.
 * @throws {ComposeError} with what it wrote to standard error, unless it ended with 0.
 */
export async function call(
  file: string,
  args: readonly string[],
  { env, cwd }: CallOptions,
  signal: AbortSignal
): Promise<string> {
  try {
    const { stdout } = await run(file, args, { env, cwd, signal, maxBuffer: maxOutputBytes })
    return stdout
  } catch (error) {
    if (signal.aborted || !(error instanceof Error)) throw error
    const told = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : error.message
    throw new ComposeError(`${file} ${args.join(' ')}: ${told}`, { cause: error })
  }
}

/** @returns undefined where `call` would throw, except for an abort. */
export async function tryCall(
  file: string,
  args: readonly string[],
  options: CallOptions,
  signal: AbortSignal
): Promise<string | undefined> {
  try {
    return await call(file, args, options, signal)
  } catch (error) {
    if (error instanceof ComposeError) return undefined
    throw error
  }
}
