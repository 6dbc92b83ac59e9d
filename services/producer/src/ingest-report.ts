export interface Rejection {
  /** File, relative to its root; `-` for standard input. */
  readonly path: string
  readonly id?: string
  readonly reason: string
}

/** What one run did. Counts are of what was acknowledged. */
export interface IngestReport {
  readonly event: 'report'
  readonly run: string | undefined
  /** Texts that were read: files, and lines of files. */
  readonly documents: number
  /** Texts that are as they were when they were sent. */
  readonly unchanged: number
  /** Records sent that carry a text. */
  readonly emitted: number
  /** Of those, pieces of longer texts. */
  readonly chunks: number
  readonly tombstones: number
  /** Tokens of the records sent. */
  readonly tokens: number
  /** Bytes of the files and lines read. */
  readonly bytes: number
  /** The first thousand; `rejectedTotal` counts all. */
  readonly rejected: readonly Rejection[]
  readonly rejectedTotal: number
  /** Files of other kinds, by extension. */
  readonly skipped: Readonly<Record<string, number>>
  /** Texts no longer found whose documents were kept, because their place could not be read for sure. */
  readonly kept: number
  readonly notices: readonly string[]
  /** The run was told to stop before its end; the next one goes on. */
  readonly stopped: boolean
  readonly seconds: number
}

/** What a run would do, if it were no estimate: the counts are of what would be sent. */
export interface EstimateReport extends Omit<IngestReport, 'event'> {
  readonly event: 'estimate'
  /** Texts of what would be sent, each counted once however many documents have it. */
  readonly distinct: {
    readonly texts: number
    readonly tokens: number
    /** Bytes of the input files that they would be lines of in the batch lane; a little more than less. */
    readonly lineBytes: number
  }
}

/** SHA-256 of a text as 64 hex digits, its tokens, and the bytes of its line in an input file of the batch lane. */
export type EstimatedText = readonly [textHash: string, tokens: number, lineBytes: number]

export interface IngestProgress {
  readonly event: 'progress'
  readonly run: string | undefined
  readonly documents: number
  readonly unchanged: number
  readonly emitted: number
  readonly tombstones: number
  readonly tokens: number
  readonly rejected: number
  readonly documentsPerSecond: number
  readonly seconds: number
}

export type IngestEvent =
  | IngestReport
  | IngestProgress
  | EstimateReport
  /** Of an estimate: texts that were not met before. */
  | { readonly event: 'texts'; readonly texts: readonly EstimatedText[] }
  /** Kafka or the schema registry is away, or a folder that is followed. */
  | { readonly event: 'waiting'; readonly reason: string; readonly retryInMs: number }
  | { readonly event: 'resumed'; readonly waitedMs: number }
  /** From now on it looks again and again. */
  | { readonly event: 'following'; readonly paths: readonly string[]; readonly intervalMs: number }
  | ({ readonly event: 'rejected' } & Rejection)
