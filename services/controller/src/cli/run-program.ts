import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CliError, exitCodes } from './cli-error.ts'
import { projectRoot } from './run-file.ts'
import type { ProcessRunner } from './process-runner.ts'

/** @param signals - of this process; passed on where no terminal does it. */
export function programRunner(signals: NodeJS.Process): ProcessRunner {
  return async (path, args, { env, onLine }) => {
    const script = join(projectRoot, path)
    if (!existsSync(script)) {
      const hint = 'in containers the producer does that: see docs/operations.md, "In containers"'
      throw new CliError(exitCodes.refused, 'NOT_HERE', `${path} is not installed here`, hint)
    }
    // The channel tells the child when this process is gone, however it went.
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ['inherit', onLine ? 'pipe' : 'inherit', 'inherit', 'ipc'],
      env: { ...env }
    })
    const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
    signals.on('SIGTERM', pass)
    // A terminal sends Ctrl-C to both of us, and a second one would mean impatience.
    if (!signals.stdin.isTTY) signals.on('SIGINT', pass)
    const closed = once(child, 'close')
    if (onLine && child.stdout)
      for await (const line of createInterface({ input: child.stdout })) await onLine(line)
    const [code]: unknown[] = await closed
    signals.off('SIGTERM', pass)
    signals.off('SIGINT', pass)
    return typeof code === 'number' ? code : 1
  }
}
