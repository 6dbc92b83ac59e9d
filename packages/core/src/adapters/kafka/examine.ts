// What to do with a partition whose client is elsewhere than it should be. It stays stopped meanwhile. Inside the log
// a seek mends it; outside it only a person knows what is right, so that is told. Either way KafkaJS may have
// overwritten the committed offset: it is restored first.
import type { LogBounds } from '../../ports/event-log.ts'
import { isInside } from './offsets.ts'
import type { Position } from './offsets.ts'

export interface Examination {
  /** The position wanted; undefined as soon as the examination has become pointless. */
  wanted(): Position | undefined
  repair(): Promise<void>
  bounds(): Promise<LogBounds>
  mend(position: Position): void
  tell(position: Position, bounds: LogBounds): void
  /** Before the next try. */
  pause(): Promise<void>
  failed(error: unknown): void
}

export async function examine(examination: Examination): Promise<void> {
  while (examination.wanted() !== undefined) {
    try {
      const bounds = await examination.bounds()
      await examination.repair()
      const position = examination.wanted()
      if (position === undefined) return
      if (isInside(position.told, bounds)) examination.mend(position)
      else examination.tell(position, bounds)
      return
    } catch (error) {
      examination.failed(error)
      await examination.pause()
    }
  }
}
