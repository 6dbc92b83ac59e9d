import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

export interface Outcome {
  readonly ok: boolean
  /** Both streams. */
  readonly said: string
}

/** Runs a program to its end, whatever that is. @param input - for its standard input. */
export async function outcomeOf(
  file: string,
  args: readonly string[],
  input: string,
  signal: AbortSignal
): Promise<Outcome> {
  const child = spawn(file, args, { signal, stdio: ['pipe', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  child.stdin.end(input)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { ok: child.exitCode === 0, said: `${stdout}${stderr}`.trimEnd() }
}
