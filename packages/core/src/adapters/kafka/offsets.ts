// Arithmetic of offsets: pure.
import type { LogBounds } from '../../ports/event-log.ts'

/** Where one partition is read. A value: whoever holds the current one knows that nothing has moved since. */
export interface Position {
  /** What was told to the listener, or asked by it: `from` of the next batch. */
  readonly told: bigint
  /** Where the client must fetch next; ahead of `told` when only control records or gaps lay between. */
  readonly fetchAt: bigint
}

export function at(position: bigint): Position {
  return { told: position, fetchAt: position }
}

/** The end is inside: there the next record will be. */
export function isInside(position: bigint, { start, end }: LogBounds): boolean {
  return position >= start && position <= end
}

/** Brokers and KafkaJS store -1 and -2 for "none" and "earliest". */
export function committedOf(offset: string): bigint | undefined {
  const committed = BigInt(offset)
  return committed < 0n ? undefined : committed
}

/**
 * What of `watermarks` is to be committed: assigned, and above what is.
 * @returns `send`, and `stand` for those that are committed that far already.
 */
export function selectCommits(
  watermarks: ReadonlyMap<number, bigint>,
  assigned: readonly number[],
  committed: ReadonlyMap<number, bigint | undefined>
): { readonly send: ReadonlyMap<number, bigint>; readonly stand: ReadonlyMap<number, bigint> } {
  const send = new Map<number, bigint>()
  const stand = new Map<number, bigint>()
  for (const [partition, watermark] of watermarks) {
    if (!assigned.includes(partition) || !committed.has(partition)) continue
    const known = committed.get(partition)
    if (known !== undefined && known >= watermark) stand.set(partition, known)
    else send.set(partition, watermark)
  }
  return { send, stand }
}

/** Ranges [from, to) that cover ascending offsets; gaps of up to `near` are bridged. */
export function spansOf(
  offsets: readonly bigint[],
  near: bigint
): readonly { readonly from: bigint; readonly to: bigint }[] {
  const spans: { from: bigint; to: bigint }[] = []
  for (const offset of offsets) {
    const last = spans.at(-1)
    if (last !== undefined && offset - last.to <= near) last.to = offset + 1n
    else spans.push({ from: offset, to: offset + 1n })
  }
  return spans
}
