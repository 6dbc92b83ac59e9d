import { createInterface } from 'node:readline/promises'

/** Asks the person at the terminal; false when nobody sits there. */
export function confirmAt(
  { stdin, stderr, stdout }: Pick<NodeJS.Process, 'stdin' | 'stderr' | 'stdout'>,
  interrupted: AbortSignal
): (question: string) => Promise<boolean> {
  return async question => {
    if (!stdin.isTTY || !stdout.isTTY) return false
    const lines = createInterface({ input: stdin, output: stderr })
    try {
      return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `, { signal: interrupted })).trim())
    } catch (error) {
      if (interrupted.aborted) return false
      throw error
    } finally {
      lines.close()
    }
  }
}
