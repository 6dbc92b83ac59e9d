// A provider of jobs in memory: vectors are those of `MemoryEmbedder`, every payment is counted, and a job ends when it
// is told to, when it was asked about often enough, or when a clock says so. One object may serve any number of
// instances. Faults are scripted: `fail` queues one per call, `server.plan` says how the next job goes,
// `server.poison` and `server.invalidate` mark texts.
import { Failure } from '../../domain/failure.ts'
import type { Digest } from '../../domain/identity.ts'
import type {
  BatchLine,
  BatchProvider,
  InputFile,
  JobKey,
  JobReport,
  JobResults,
  ManifestKey,
  NamedJob
} from '../../ports/batch-provider.ts'
import type { MemoryJob } from './batch-provider-job.ts'
import { MemoryJobResults } from './batch-provider-results.ts'
import { type JobPace, MemoryBatchServer } from './batch-provider-server.ts'
import { wordsOf } from './embedder.ts'

export interface MemoryBatchProviderOptions {
  readonly model?: string
  readonly dimensions?: number
  /** Tokens of a text; words by default. */
  readonly tokensOf?: (text: string) => number
  /** Manual by default. */
  readonly pace?: JobPace
  readonly maxLines?: number
  readonly maxBytes?: number
  /** Tokens of all jobs that have not ended; a job beyond them fails with `token_limit_exceeded`. */
  readonly maxEnqueuedTokens?: number
}

type ProviderCall = Exclude<keyof BatchProvider, 'model' | 'dimensions' | 'lineBytes'>

/**
 * - `refused` the call fails so and nothing has changed.
 * - `lost` `EMBED_OUTCOME_UNKNOWN`; carried out before that, never, or by `arrive`, when others have long gone on.
 * - `blind` a list shows nothing: for `find`, `jobs` and `inputFiles`.
 * - `cut` the file breaks off half-way, `EMBED_UNAVAILABLE`: for `contents`.
 */
export type CallFault =
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'lost'; readonly carriedOut: 'before' | 'never' | 'late' }
  | { readonly kind: 'blind' }
  | { readonly kind: 'cut' }

const lineOverheadBytes = 256
const contentsAtOnce = 512

export class MemoryBatchProvider implements BatchProvider {
  readonly model: string
  readonly dimensions: number
  readonly server: MemoryBatchServer
  readonly #tokensOf: (text: string) => number
  readonly #maxLines: number
  readonly #maxBytes: number
  readonly #faults = new Map<ProviderCall, CallFault[]>()
  readonly #calls = new Map<ProviderCall, number>()
  readonly #late: (() => unknown)[] = []
  #outage: Failure | undefined

  constructor(options: MemoryBatchProviderOptions = {}) {
    this.model = options.model ?? 'text-embedding-3-small'
    this.dimensions = options.dimensions ?? 8
    this.#tokensOf = options.tokensOf ?? wordsOf
    this.#maxLines = options.maxLines ?? 50_000
    this.#maxBytes = options.maxBytes ?? 209_715_200
    this.server = new MemoryBatchServer({
      tokensOf: this.#tokensOf,
      pace: options.pace ?? { kind: 'manual' },
      maxEnqueuedTokens: options.maxEnqueuedTokens ?? Number.POSITIVE_INFINITY
    })
  }

  /** How often this was called, whatever came of it. */
  calls(call: ProviderCall): number {
    return this.#calls.get(call) ?? 0
  }

  /** The next calls of this name take one fault each, in this order. */
  fail(call: ProviderCall, ...faults: readonly CallFault[]): void {
    this.#faults.set(call, [...(this.#faults.get(call) ?? []), ...faults])
  }

  /** Until it is lifted with undefined, every call fails so; but `checkSpool`, which is about this machine. */
  outage(failure: Failure | undefined): void {
    this.#outage = failure
  }

  /** What was lost and is carried out late happens now. */
  arrive(): void {
    for (const carryOut of this.#late.splice(0)) carryOut()
  }

  lineBytes(text: string): number {
    return Buffer.byteLength(JSON.stringify(text)) + lineOverheadBytes
  }

  async upload(
    key: ManifestKey,
    lines: AsyncIterable<BatchLine>,
    signal: AbortSignal
  ): Promise<{ readonly fileId: string; readonly bytes: number }> {
    const stored: BatchLine[] = []
    for await (const line of lines) stored.push(line)
    const bytes = stored.reduce((sum, { text }) => sum + this.lineBytes(text), 0)
    if (stored.length === 0) throw new RangeError('an input file needs a line')
    if (stored.length > this.#maxLines || bytes > this.#maxBytes) {
      throw new Failure('EMBED_TOO_LARGE', `${stored.length} lines, ${bytes} bytes: more than a job takes`)
    }
    const { ledger, manifest, namespace } = key
    return await this.#call('upload', signal, () => {
      return { fileId: this.server.addInput({ namespace, ledger, manifest }, stored), bytes }
    })
  }

  async create(key: JobKey, fileId: string, signal: AbortSignal): Promise<JobReport> {
    return await this.#call('create', signal, () => reportOf(this.server.createJob(key, fileId)))
  }

  async find(key: JobKey, signal: AbortSignal): Promise<JobReport | undefined> {
    return await this.#call('find', signal, fault => {
      const job = this.server.jobs.findLast(each => isSame(each.key, key))
      return fault === 'blind' || job === undefined ? undefined : reportOf(job)
    })
  }

  async report(batchId: string, signal: AbortSignal): Promise<JobReport> {
    return await this.#call('report', signal, () =>
      reportOf(this.server.askAbout(batchId) ?? gone(`job ${batchId}`))
    )
  }

  async cancel(batchId: string, signal: AbortSignal): Promise<void> {
    await this.#call('cancel', signal, () => {
      const job = this.server.jobs.find(each => each.batchId === batchId) ?? gone(`job ${batchId}`)
      job.advance('cancelling')
    })
  }

  async results(
    _key: ManifestKey,
    { errorFileId, outputFileId }: Readonly<Record<'outputFileId' | 'errorFileId', string | undefined>>,
    signal: AbortSignal
  ): Promise<JobResults> {
    return await this.#call('results', signal, () => {
      const output = this.#jobOf(outputFileId)
      return new MemoryJobResults({
        output: output?.output ?? [],
        errorLines: this.#jobOf(errorFileId)?.errorLines ?? [],
        strangers: output?.plan.strangers ?? 0,
        model: this.model,
        dimensions: this.dimensions,
        tokensOf: this.#tokensOf
      })
    })
  }

  async deleteFile(fileId: string, signal: AbortSignal): Promise<void> {
    await this.#call('deleteFile', signal, () => this.server.deleteFile(fileId))
  }

  async jobs(namespace: string, signal: AbortSignal): Promise<readonly NamedJob[]> {
    return await this.#call('jobs', signal, fault => {
      const ours = fault === 'blind' ? [] : this.server.jobs.filter(({ key }) => key.namespace === namespace)
      return ours.toReversed().map(job => {
        this.server.goOn(job)
        const report = reportOf(job)
        const errors = report.errors.map(error => ({ ...error, content: undefined }))
        return { key: job.key, report: { ...report, errors } }
      })
    })
  }

  async *contents(fileId: string, signal: AbortSignal): AsyncGenerator<readonly Digest[]> {
    const { fault, lines } = await this.#call('contents', signal, kind => {
      return { fault: kind, lines: this.server.inputs.get(fileId)?.lines ?? gone(`file ${fileId}`) }
    })
    const whole = lines.map(({ content }) => content)
    const given = fault === 'cut' ? whole.slice(0, Math.floor(whole.length / 2)) : whole
    for (let first = 0; first < given.length; first += contentsAtOnce) {
      yield given.slice(first, first + contentsAtOnce)
      signal.throwIfAborted()
    }
    if (fault === 'cut') throw new Failure('EMBED_UNAVAILABLE', `file ${fileId} keeps coming short`)
  }

  async inputFiles(namespace: string, signal: AbortSignal): Promise<readonly InputFile[]> {
    return await this.#call('inputFiles', signal, fault =>
      [...this.server.inputs]
        .filter(([, { key }]) => fault !== 'blind' && key.namespace === namespace)
        .map(([fileId, { key }]) => ({ fileId, key }))
    )
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#call('check', signal, () => undefined)
  }

  async checkSpool(): Promise<void> {
    await Promise.resolve()
    const fault = this.#take('checkSpool')
    if (fault?.kind === 'refused') throw fault.failure
  }

  async #call<Result>(
    call: ProviderCall,
    signal: AbortSignal,
    carryOut: (fault?: CallFault['kind']) => Result
  ): Promise<Result> {
    await Promise.resolve()
    signal.throwIfAborted()
    const fault = this.#take(call)
    if (this.#outage !== undefined) throw this.#outage
    if (fault?.kind === 'refused') throw fault.failure
    if (fault?.kind !== 'lost') return carryOut(fault?.kind)
    if (fault.carriedOut === 'before') carryOut()
    if (fault.carriedOut === 'late') this.#late.push(() => carryOut())
    throw new Failure('EMBED_OUTCOME_UNKNOWN', `the provider's answer was lost (${call})`)
  }

  #take(call: ProviderCall): CallFault | undefined {
    this.#calls.set(call, this.calls(call) + 1)
    return this.#faults.get(call)?.shift()
  }

  #jobOf(fileId: string | undefined): MemoryJob | undefined {
    return fileId === undefined ? undefined : (this.server.results.get(fileId) ?? gone(`file ${fileId}`))
  }
}

function isSame(a: JobKey, b: JobKey): boolean {
  const { create, ledger, manifest, namespace } = a
  return namespace === b.namespace && ledger === b.ledger && manifest === b.manifest && create === b.create
}

function gone(what: string): never {
  throw new Failure('JOB_GONE', `the provider has no ${what}`)
}

function reportOf(job: MemoryJob): JobReport {
  const names = job.namesFiles()
  const word = job.plan.word !== undefined && job.status === 'in_progress' ? job.plan.word : job.status
  return {
    batchId: job.batchId,
    status: word === job.status ? job.status : 'unknown',
    word,
    inputFileId: job.inputFileId,
    outputFileId: names && job.output.length > 0 ? `${job.batchId}_output` : undefined,
    errorFileId: names && job.errorLines.length > 0 ? `${job.batchId}_error` : undefined,
    completed: new Set(job.output.map(({ line }) => line.content)).size,
    failed: job.errorLines.length,
    paidTokens: job.paidTokens,
    errors: job.errors
  }
}
