import type { LogAdmin } from '@pointsman/core/ports/event-log'
import type { Names } from '@pointsman/core/runtime/names'

/** Committed W by partition: both groups commit the same W, so the higher of the two is one that was. */
export async function committedWatermarks(
  admin: Pick<LogAdmin, 'committed'>,
  { groups }: Pick<Names, 'groups'>
): Promise<ReadonlyMap<number, bigint>> {
  const highest = new Map<number, bigint>()
  for (const group of [groups.realtime, groups.batch]) {
    for (const [partition, offset] of await admin.committed(group)) {
      if (offset !== undefined && offset > (highest.get(partition) ?? -1n)) highest.set(partition, offset)
    }
  }
  return highest
}
