export interface CommittedOffset {
  /** For people. */
  readonly group: string
  readonly partition: number
  readonly offset: bigint
}

/**
 * W is the only thing that is ever committed, and never falls: a ledger whose W is lower has forgotten.
 * @param committed - read before W was asked for, else it may simply be newer.
 * @param watermark - undefined for a partition of which nothing is known.
 * @returns in words, what was committed beyond W.
 */
export function beyondWatermarks(
  committed: readonly CommittedOffset[],
  watermark: (partition: number) => bigint | undefined
): string | undefined {
  for (const { group, offset, partition } of committed) {
    const known = watermark(partition)
    if (known === undefined || offset <= known) continue
    return `the ledger was rolled back: W of partition ${partition} is ${known}, and ${group} has committed ${offset}`
  }
  return undefined
}
