import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { StackError } from './stack-error.ts'

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

const shownLines = 20

/**
 * Runs a command to its end.
 * @param onLine - gets every line of its output, of both streams.
 * @throws {StackError} with the last lines of its output, unless it ended with 0.
 */
export async function runCommand(
  command: Command,
  onLine: (line: string) => void,
  signal: AbortSignal
): Promise<void> {
  const { file, args, cwd, env = process.env } = command
  const child = spawn(file, args, { cwd, env, signal, stdio: ['ignore', 'pipe', 'pipe'] })
  const tail: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', line => {
      tail.push(line)
      if (tail.length > shownLines) tail.shift()
      onLine(line)
    })
  }
  const { promise, resolve, reject } = Promise.withResolvers<number | NodeJS.Signals>()
  child.once('error', reject)
  child.once('close', (code, killedBy) => resolve(code ?? killedBy ?? 0))
  const outcome = await promise
  if (outcome === 0) return
  throw new StackError(`${file} ${args.join(' ')} ended with ${outcome}:\n${tail.join('\n')}`)
}
