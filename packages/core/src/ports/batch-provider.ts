import type { Digest, ObligationId } from '../domain/identity.ts'
import type { VectorBytes } from './embedder.ts'

/** One text to be paid for, and the part it is taken from. */
export interface BatchLine {
  /** Payment key: names the line, so each occurs once in a file. */
  readonly content: Digest
  readonly partition: number
  readonly offset: bigint
  readonly text: string
}

/**
 * What a manifest is called at the provider, in the name of its file and in the metadata of its jobs. The ledger's id
 * is part of it: two installations with one key and one namespace must not take each other's jobs for their own.
 */
export interface ManifestKey {
  readonly namespace: string
  readonly ledger: string
  readonly manifest: ObligationId
}

/** Names one create call before it is made: it stands in the batch's metadata. */
export interface JobKey extends ManifestKey {
  readonly create: number
}

/** `unknown` for a word that we do not know: to be waited for. */
export type JobStatus =
  | 'validating'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'failed'
  | 'expired'
  | 'cancelling'
  | 'cancelled'
  | 'unknown'

/** Why a job failed validation. */
export interface JobError {
  readonly code: string
  readonly message: string
  /** Of the line that is to blame, when one is named and can be read. */
  readonly content: Digest | undefined
}

/** A job as the provider last described it. Polls skip states; counts are hints. */
export interface JobReport {
  readonly batchId: string
  readonly status: JobStatus
  /** The provider's own word. */
  readonly word: string
  readonly inputFileId: string
  readonly outputFileId: string | undefined
  readonly errorFileId: string | undefined
  readonly completed: number
  readonly failed: number
  /** Tokens charged for the job as a whole; undefined when the provider does not say. */
  readonly paidTokens: number | undefined
  /** Of a failed job; empty otherwise. */
  readonly errors: readonly JobError[]
}

/**
 * What became of one line.
 * - `vector`   paid for and good.
 * - `rejected` can never succeed: the provider refused the text, or what was paid for is unusable (wrong length, NaN).
 * - `failed`   may succeed another time: expired, cancelled, an error of the provider's.
 */
export type LineOutcome =
  | { readonly kind: 'vector'; readonly vector: VectorBytes; readonly paidTokens: number }
  | { readonly kind: 'rejected'; readonly reason: string; readonly paidTokens: number }
  | { readonly kind: 'failed'; readonly reason: string }

/** The output and the error file of a job, whole and on this machine. */
export interface JobResults extends AsyncDisposable {
  /** Lines of both files, and those that name no content or repeat one (the first usable one counts). */
  readonly lines: number
  readonly strangers: number
  readonly repeats: number

  /** What became of these contents. What is in neither file is not in the answer. At most some hundred a call. */
  read(contents: readonly Digest[]): Promise<ReadonlyMap<Digest, LineOutcome>>

  /**
   * Gives the memory of vectors back that were read together; they are empty from then on. For whoever is done with them:
   * the garbage collector sees only the few bytes that point to them, and comes late.
   */
  release(vectors: Iterable<VectorBytes>): void
}

/** A job of ours in the provider's list. */
export interface NamedJob {
  readonly key: JobKey
  readonly report: JobReport
}

export interface InputFile {
  readonly fileId: string
  readonly key: ManifestKey
}

/**
 * Embeds texts in jobs of the provider, cheaply and some time. Files pass through a directory of this machine, which is
 * a cache: losing it costs time only.
 * Implementations: `adapters/openai` and `adapters/memory`; each passes `test/contract/batch-provider.ts`.
 *
 * No call that pays or creates is ever repeated by itself. Every method throws `Failure`:
 * - `EMBED_UNAVAILABLE`, `EMBED_RATE_LIMITED` surely not carried out; later
 * - `EMBED_OUTCOME_UNKNOWN` (timeout, reset, 5xx) perhaps carried out
 * - `EMBED_REFUSED`, `EMBED_OUT_OF_FUNDS` an operator must act
 * - `JOB_GONE` the provider does not know this job or file
 * - `SPOOL_UNAVAILABLE` the directory cannot be written: full, or not ours
 */
export interface BatchProvider {
  readonly model: string
  readonly dimensions: number

  /** Bytes that a text adds to an input file; a little more is fine, less is not. */
  lineBytes(text: string): number

  /**
   * Uploads an input file and waits until it can be seen. Equal lines in equal order are equal bytes.
   * @throws {Failure} also `EMBED_TOO_LARGE`: more than the provider takes; nothing was sent.
   */
  upload(
    key: ManifestKey,
    lines: AsyncIterable<BatchLine>,
    signal: AbortSignal
  ): Promise<{ readonly fileId: string; readonly bytes: number }>

  /** Makes a job of an uploaded file. */
  create(key: JobKey, fileId: string, signal: AbortSignal): Promise<JobReport>

  /** The job that a create call made, if it did: looks through the provider's list, which may lag. */
  find(key: JobKey, signal: AbortSignal): Promise<JobReport | undefined>

  report(batchId: string, signal: AbortSignal): Promise<JobReport>

  /** Asks for an early end. Harmless when the job has ended. */
  cancel(batchId: string, signal: AbortSignal): Promise<void>

  /**
   * Fetches both files of a job that has ended. A file that comes short is fetched again.
   * @param files - undefined: the provider has none.
   */
  results(
    key: ManifestKey,
    files: { readonly outputFileId: string | undefined; readonly errorFileId: string | undefined },
    signal: AbortSignal
  ): Promise<JobResults>

  /** Deletes a file; harmless when it is gone. */
  deleteFile(fileId: string, signal: AbortSignal): Promise<void>

  /**
   * All jobs of a namespace that the provider still lists, of whatever ledger, the latest first. Their order among equals,
   * and how soon a job is listed, are the provider's. Their errors name no content: no file is read for that.
   */
  jobs(namespace: string, signal: AbortSignal): Promise<readonly NamedJob[]>

  /** The payment keys of an input file's lines, in its order, a few hundred at a time. @throws {Failure} `JOB_GONE`. */
  contents(fileId: string, signal: AbortSignal): AsyncIterable<readonly Digest[]>

  /** Input files of a namespace. */
  inputFiles(namespace: string, signal: AbortSignal): Promise<readonly InputFile[]>

  /** Asks whether the provider answers, without paying. */
  check(signal: AbortSignal): Promise<void>

  /** Asks whether the directory can be written. */
  checkSpool(): Promise<void>
}
