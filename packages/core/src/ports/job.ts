// What the ledger knows of a manifest's batch at the provider.

/** What an operator wants of a job: end it early, or give it up though it has not ended (its texts may be paid twice). */
export type JobOrder = 'cancel' | 'abandon'

/** What is known of a manifest's job at the provider. Times are those of the instance that wrote them. */
export interface Job {
  /** Number of the last create call journalled; 0 before the first. Names that call in the batch's metadata. */
  readonly creates: number
  /** Lines of the input file: texts to be paid for. 0 until `uploaded`, as are bytes and tokens. */
  readonly lines: number
  readonly bytes: number
  readonly tokens: number
  readonly inputFileId: string
  readonly batchId: string
  readonly outputFileId: string
  readonly errorFileId: string
  /** The provider's word, as last seen; empty before, as are the ids. */
  readonly status: string
  /** Lines done, as the provider last counted them. */
  readonly completed: number
  readonly failed: number
  /** Ledger time, as are all times of a job: they are read by processes whose clocks differ. */
  readonly submittedMs: number
  /** When status or counts changed last. */
  readonly progressMs: number
  readonly endedMs: number
  /** Not to be sent again before: the provider's queue was full. */
  readonly notBeforeMs: number
  /** Tokens charged for it; the ledger's total rises with it. */
  readonly paidTokens: number
  readonly order: JobOrder | ''
}
