/** What is remembered of one source: a file, or a line of one. */
export interface Entry {
  readonly id: string
  /** Root that it came from, as a real path; `-` for standard input. */
  readonly origin: string
  readonly path: string
  readonly named: boolean
  readonly elsewhere: boolean
  /** The version that the source named last. */
  readonly given: number | undefined
  /** Newest version of any of its documents that was sent, or was about to be. */
  readonly version: number
  /** Digest of all that decides what is emitted; empty when that is not known. */
  readonly content: string
  /** Everything of `version` was acknowledged. False between intent and acknowledgement, and so after a crash. */
  readonly acked: boolean
  /** Digest of each chunk, in order; empty unless `acked`. */
  readonly chunks: readonly string[]
  /** A document whose id is `id` may exist in the log. */
  readonly whole: boolean
  /** Documents `id#0` to `id#(parts-1)` may exist in the log. */
  readonly parts: number
}

export function isLive(entry: Entry): boolean {
  return entry.whole || entry.parts > 0
}
