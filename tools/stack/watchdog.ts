import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Ends registered processes when this one is gone. */
export interface Watchdog extends AsyncDisposable {
  add(pid: number): void
  drop(pid: number): void
}

const script = fileURLToPath(new URL('./watchdog.sh', import.meta.url))

/**
 * Starts the watching process. Disposing it ends what is still registered as well.
 * @param graceSeconds - between asking the processes to end and killing them.
 * @param temporaryFolder - removed at the end, whoever ends first.
 */
export function openWatchdog(graceSeconds: number, temporaryFolder: string | undefined): Watchdog {
  // A session of its own: Ctrl-C in the terminal must not end it before those it watches.
  const child = spawn('/bin/sh', [script, String(graceSeconds), temporaryFolder ?? ''], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore']
  })
  const ended = new Promise<void>(resolve => {
    child.once('close', () => resolve())
    child.once('error', () => resolve())
  })
  // Whoever kills the watching process must not bring down the watched one.
  child.stdin.on('error', () => {})
  child.unref()

  return {
    add: pid => void child.stdin.write(`add ${pid}\n`),
    drop: pid => void child.stdin.write(`drop ${pid}\n`),
    async [Symbol.asyncDispose]() {
      child.ref()
      child.stdin.end()
      await ended
    }
  }
}
