import type { CliContext } from './cli-context.ts'
import { CliError } from './cli-error.ts'

const patienceMs = 30_000
const pauseMs = 500

/**
 * Repeats a call that may be repeated, for as long as it is not known whether it was done: the answer got lost, or a
 * part was away while it was carried out.
 * @param isInDoubt - true when an earlier call may have been received, so that also a controller that cannot be
 *   reached is waited for.
 * @throws {CliError} what became of it, or of the last of many calls.
 */
export async function askSurely<Answer>(
  { clock, interrupted }: Pick<CliContext, 'clock' | 'interrupted'>,
  ask: () => Promise<Answer>,
  { isInDoubt = false, onWait = () => undefined }: AskOptions = {}
): Promise<Answer> {
  const untilMs = clock.nowMs() + patienceMs
  let mayBeDone = isInDoubt
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      mayBeDone ||= error.outcome === 'unknown'
      const isAnswer = error.outcome === 'refused' && error.code !== 'UNREACHABLE'
      if (isAnswer || interrupted.aborted) throw error
      if (!mayBeDone || clock.nowMs() >= untilMs) throw error
      onWait(error)
      await clock.sleep(pauseMs, interrupted).catch(() => undefined)
    }
  }
}

interface AskOptions {
  readonly isInDoubt?: boolean
  readonly onWait?: (error: CliError) => void
}
