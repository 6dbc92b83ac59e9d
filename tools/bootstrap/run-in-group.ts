import { spawn } from 'node:child_process'

export interface RunOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

/** @returns the exit code; for a program that was killed or not found, something else than 0. */
export function runInGroup(
  file: string,
  args: readonly string[],
  { cwd, env }: RunOptions,
  signal: AbortSignal
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  // A process group of its own: a shell does not pass signals on to what it runs.
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'inherit', 'inherit'] })
  const pass = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
  }
  signal.addEventListener('abort', pass, { once: true })
  child.once('error', error => {
    process.stdout.write(`cannot run ${file}: ${error.message}\n`)
    resolve(127)
  })
  child.once('close', code => resolve(code ?? 1))
  return promise.finally(() => signal.removeEventListener('abort', pass))
}
