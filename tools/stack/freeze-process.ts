import { readdir, readFile } from 'node:fs/promises'
import { StackError } from './stack-error.ts'
import { waitUntilReady } from './wait-until-ready.ts'

const limitMs = 10_000

/**
 * SIGSTOP; resolves when no thread of the process runs any more. Until one of its threads has taken the signal, which takes
 * milliseconds on a busy computer, the others go on and answer whatever is asked.
 * @throws {StackError} when it does not stop; the reason of `signal`, when that is aborted.
 */
export async function freezeProcess(
  pid: number,
  signal: AbortSignal = new AbortController().signal
): Promise<void> {
  // To kill(2), zero is our own process group.
  if (pid <= 0) throw new StackError('there is no process to freeze')
  process.kill(pid, 'SIGSTOP')
  await waitUntilReady(() => requireStopped(pid), limitMs, signal)
}

async function requireStopped(pid: number): Promise<void> {
  const threads = await readdir(`/proc/${pid}/task`)
  const states = await Promise.all(threads.map(thread => stateOf(`/proc/${pid}/task/${thread}/stat`)))
  if (states.every(state => state === 'T')) return
  throw new StackError(`process ${pid} does not stop: its threads are in the states ${states.join('')}`)
}

/** A letter of proc_pid_stat(5); it follows the name, which is in parentheses and may have some itself. */
async function stateOf(path: string): Promise<string | undefined> {
  const stat = await readFile(path, 'latin1')
  return stat[stat.lastIndexOf(')') + 2]
}
