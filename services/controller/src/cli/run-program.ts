import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { projectRoot } from './run-file.ts'
import type { ProcessRunner } from './process-runner.ts'

/** @param signals - of this process; passed on where no terminal does it. */
export function programRunner(signals: NodeJS.Process): ProcessRunner {
  return async (path, args, { env, onLine }) => {
    // The channel tells the child when this process is gone, however it went.
    const child = spawn(process.execPath, [join(projectRoot, path), ...args], {
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
