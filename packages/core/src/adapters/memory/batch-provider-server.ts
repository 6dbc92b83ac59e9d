// What stands behind a provider of jobs in memory: files, jobs, and the bill. Instances come and go; this stays.
import { formatCustomId } from '../../domain/custom-id.ts'
import type { Digest } from '../../domain/identity.ts'
import type { BatchLine, JobError, JobKey, JobStatus, ManifestKey } from '../../ports/batch-provider.ts'
import type { Clock } from '../../ports/clock.ts'
import { type JobPlan, type LineFault, MemoryJob } from './batch-provider-job.ts'

/** When jobs go on. A job that is being cancelled ends with the next report, unless the pace is manual. */
export type JobPace =
  | { readonly kind: 'manual' }
  /** The report of this number is the first that shows the end. */
  | { readonly kind: 'reports'; readonly count: number }
  | { readonly kind: 'clock'; readonly clock: Clock; readonly turnaroundMs: number }

export interface MemoryBatchServerOptions {
  /** Tokens of a text. */
  readonly tokensOf: (text: string) => number
  readonly pace: JobPace
  /** Tokens of all jobs that have not ended; a job beyond them fails with `token_limit_exceeded`. */
  readonly maxEnqueuedTokens: number
}

export interface StoredInput {
  readonly key: ManifestKey
  readonly lines: readonly BatchLine[]
}

const maxInputTokens = 8192

export class MemoryBatchServer {
  readonly #options: MemoryBatchServerOptions
  readonly #plans: JobPlan[] = []
  readonly #poison = new Set<string>()
  readonly #invalid = new Set<string>()
  readonly #inputs = new Map<string, StoredInput>()
  readonly #results = new Map<string, MemoryJob>()
  readonly #jobs = new Map<string, MemoryJob>()
  readonly #reports = new Map<string, number>()
  readonly #payments = new Map<string, number>()
  readonly #paidContents = new Map<Digest, number>()
  #paidTokens = 0
  #lastFile = 0

  constructor(options: MemoryBatchServerOptions) {
    this.#options = options
  }

  /** How often each text was paid for. */
  get payments(): ReadonlyMap<string, number> {
    return this.#payments
  }

  /** How often each payment key was paid for. */
  get paidContents(): ReadonlyMap<Digest, number> {
    return this.#paidContents
  }

  get paidTokens(): number {
    return this.#paidTokens
  }

  /** Every job ever made, in that order. */
  get jobs(): readonly MemoryJob[] {
    return [...this.#jobs.values()]
  }

  /** Input files that are there, by id. */
  get inputs(): ReadonlyMap<string, StoredInput> {
    return this.#inputs
  }

  /** Output and error files that are there, by id, with the job that they are of. */
  get results(): ReadonlyMap<string, MemoryJob> {
    return this.#results
  }

  /** The next jobs take one plan each, in this order. */
  plan(...plans: readonly JobPlan[]): void {
    this.#plans.push(...plans)
  }

  /** From now on a line with one of these texts is rejected. */
  poison(...texts: readonly string[]): void {
    for (const text of texts) this.#poison.add(text)
  }

  /** From now on a job with one of these texts fails validation, naming its line. */
  invalidate(...texts: readonly string[]): void {
    for (const text of texts) this.#invalid.add(text)
  }

  /** @param of - a job, or a manifest: its newest job. */
  advance(of: string, to: JobStatus): void {
    const job = this.#jobs.get(of) ?? this.jobs.findLast(({ key }) => key.manifest === of)
    if (job === undefined) throw new Error(`no job ${of}`)
    job.advance(to)
    this.#keepFiles(job)
  }

  /** Every job goes to its end. */
  finishAll(): void {
    for (const job of this.#jobs.values()) this.#finish(job)
  }

  /** The provider forgets a job, as if it had never been. */
  forget(batchId: string): void {
    this.#jobs.delete(batchId)
  }

  addInput(key: ManifestKey, lines: readonly BatchLine[]): string {
    this.#lastFile += 1
    const fileId = `file-${this.#lastFile}`
    this.#inputs.set(fileId, { key, lines })
    return fileId
  }

  deleteFile(fileId: string): void {
    this.#inputs.delete(fileId)
    this.#results.delete(fileId)
  }

  createJob(key: JobKey, inputFileId: string): MemoryJob {
    this.#lastFile += 1
    const batchId = `batch_${this.#lastFile}`
    const { pace } = this.#options
    const job = new MemoryJob({
      batchId,
      key,
      inputFileId,
      createdMs: pace.kind === 'clock' ? pace.clock.nowMs() : 0,
      plan: this.#plans.shift() ?? {},
      validate: () => this.#validate(batchId, inputFileId),
      faultOf: text => this.#faultOf(text),
      pay: line => this.#pay(line)
    })
    this.#jobs.set(batchId, job)
    return job
  }

  /** The job as it is when it is asked about: it may go on by that. */
  askAbout(batchId: string): MemoryJob | undefined {
    const job = this.#jobs.get(batchId)
    if (job === undefined) return undefined
    const asked = (this.#reports.get(batchId) ?? 0) + 1
    this.#reports.set(batchId, asked)
    this.goOn(job)
    return job
  }

  /** As far as the pace says; being looked at is no report. */
  goOn(job: MemoryJob): void {
    const { pace } = this.#options
    if (pace.kind === 'manual') return
    const asked = this.#reports.get(job.batchId) ?? 0
    const share =
      pace.kind === 'reports'
        ? asked / pace.count
        : (pace.clock.nowMs() - job.createdMs) / Math.max(1, pace.turnaroundMs)
    if (share >= 1 || job.status === 'cancelling') this.#finish(job)
    else if (share >= 0.9) job.advance('finalizing')
    else if (share >= 0.1) job.advance('in_progress')
  }

  #finish(job: MemoryJob): void {
    if (job.hasEnded) return
    job.finish()
    this.#keepFiles(job)
  }

  #keepFiles(job: MemoryJob): void {
    if (job.output.length > 0) this.#results.set(`${job.batchId}_output`, job)
    if (job.errorLines.length > 0) this.#results.set(`${job.batchId}_error`, job)
  }

  #validate(
    batchId: string,
    fileId: string
  ): { readonly errors: readonly JobError[]; readonly lines: readonly BatchLine[] } {
    const lines = this.#inputs.get(fileId)?.lines
    if (lines === undefined) {
      const message = `Cannot find file ${fileId}.`
      return { errors: [{ code: 'invalid_request', message, content: undefined }], lines: [] }
    }
    if (this.#tokensBeside(batchId, lines) > this.#options.maxEnqueuedTokens) {
      const message = 'Enqueued token limit reached. Please try again once some batches have been completed.'
      return { errors: [{ code: 'token_limit_exceeded', message, content: undefined }], lines }
    }
    const names = new Set<string>()
    const errors: JobError[] = []
    for (const line of lines) {
      const name = formatCustomId(line)
      const code = names.has(name) ? 'duplicate_custom_id' : 'invalid_request'
      if (names.has(name) || this.#invalid.has(line.text)) {
        errors.push({ code, message: `The line ${name} is refused.`, content: line.content })
      }
      names.add(name)
    }
    return { errors, lines }
  }

  /** Tokens that would be in the queue. */
  #tokensBeside(batchId: string, lines: readonly BatchLine[]): number {
    const others = this.jobs.filter(job => !job.hasEnded && job.batchId !== batchId)
    return [...others.flatMap(job => job.lines), ...lines]
      .map(({ text }) => this.#options.tokensOf(text))
      .reduce((sum, tokens) => sum + tokens, 0)
  }

  #faultOf(text: string): LineFault | undefined {
    const refused = text === '' || this.#poison.has(text) || this.#options.tokensOf(text) > maxInputTokens
    return refused ? 'rejected' : undefined
  }

  #pay({ content, text }: BatchLine): number {
    const tokens = this.#options.tokensOf(text)
    this.#payments.set(text, (this.#payments.get(text) ?? 0) + 1)
    this.#paidContents.set(content, (this.#paidContents.get(content) ?? 0) + 1)
    this.#paidTokens += tokens
    return tokens
  }
}
