import { Failure } from '../domain/failure.ts'
import type { LogBounds } from '../ports/event-log.ts'

/**
 * Why a control log that is known up to `from` cannot be read on. Its offsets are the epochs: whoever went on would give
 * an epoch a second time.
 */
export function controlLogCut(topic: string, from: bigint, { start, end }: LogBounds): Failure {
  const found =
    from > end
      ? `it was read up to offset ${from} before and ends at ${end} now`
      : `offset ${from} is wanted and it begins at ${start}`
  const remedy = 'restore it from a backup, with every record at its offset; nothing is switched until then'
  return new Failure('CONTROL_LOG_CUT', `${topic} was truncated or made anew: ${found}; ${remedy}`)
}
