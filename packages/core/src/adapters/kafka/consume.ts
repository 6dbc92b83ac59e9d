// One fetched batch on its way to the listener, past the position fence: a batch that was not fetched at the expected
// position is dropped, whatever the reason for the wrong position.
import type { EachBatchPayload } from 'kafkajs'
import type { GroupReaderEvents } from '../../ports/event-log.ts'
import { recordOf } from './fetched-record.ts'
import { at } from './offsets.ts'
import type { Position } from './offsets.ts'
import type { PauseAuthority } from './pause-authority.ts'

export interface ConsumeDeps {
  readonly authority: PauseAuthority
  readonly positions: Map<number, Position>
  readonly events: GroupReaderEvents
  /** The client is elsewhere than it should be. */
  astray(partition: number): void
  /** The listener threw; the batch is fetched again after a while. */
  failed(partition: number, error: unknown): void
}

/** Never throws: one throw would stop all fetchers and replay the records of other partitions. */
export function takeBatch(payload: EachBatchPayload, deps: ConsumeDeps): void {
  const { batch } = payload
  const { partition } = batch
  const position = deps.positions.get(partition)
  // Neither pause nor seek stops a handler that was called already.
  if (!payload.isRunning() || payload.isStale() || deps.authority.isHeld(partition)) return
  if (position === undefined || fetchedOffset(batch) !== position.fetchAt) {
    deps.astray(partition)
    return
  }
  const last = batch.messages.at(-1)
  if (last === undefined) return
  const next = BigInt(batch.lastOffset()) + 1n
  const records = batch.messages.map(message => recordOf(partition, message))
  let taken = false
  try {
    taken = deps.events.batch({ partition, from: position.told, next, records })
  } catch (error) {
    deps.failed(partition, error)
  }
  // The listener may have called `readFrom`: then a seek is pending, and its position wins.
  if (!taken || deps.positions.get(partition) !== position) return
  deps.positions.set(partition, at(next))
  // Of the last message: KafkaJS then resolves the control records behind it too.
  payload.resolveOffset(last.offset)
}

/** Where the batch was fetched: on the object, though not in the types. */
function fetchedOffset(batch: object): bigint | undefined {
  if (!('fetchedOffset' in batch) || typeof batch.fetchedOffset !== 'string') return undefined
  return BigInt(batch.fetchedOffset)
}
