// Jobs of OpenAI's Batch API, or of whoever speaks its language. One call is one try: what it may have made is for the
// caller to find out, so nothing that creates is repeated here. Files pass through a directory of this machine.
import { setTimeout as delay } from 'node:timers/promises'
import type { OpenAI } from 'openai'
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
import { messageOf } from '../../runtime/message-of.ts'
import type { ProviderSettings } from '../../runtime/settings.ts'
import { isOf, keyIn, metadataOf, type ParsedReport, parseReport } from './batch-report.ts'
import { OpenaiJobResults } from './batch-results.ts'
import { type AskOptions, askWithin, openClient } from './client.ts'
import { type DownloadFrom, downloadFile } from './download.ts'
import { fieldOf, textOf, timeMsOf } from './field.ts'
import { inputContents } from './input-contents.ts'
import { inputFileName, InputFormat, maxInputBytes, parseInputFileName, writeInput } from './input-file.ts'
import { isStatus, jobFailure } from './job-failure.ts'
import { multipartFile } from './multipart-file.ts'
import { namedLines } from './named-lines.ts'
import { listAll } from './paged-list.ts'
import { Spool, type SpoolFile } from './spool.ts'

export interface OpenaiBatchOptions {
  /** Where files pass through; made when there is none. Processes may share it. */
  readonly directory: string
  /** Of one call that moves no file, and of the first byte and any pause of a download. */
  readonly deadlineMs?: number
  /** Of one upload. */
  readonly uploadMs?: number
  /** How long an uploaded file may stay unseen. */
  readonly visibleMs?: number
  /** When the provider removes input and result files by itself; 1 hour to 30 days. */
  readonly expireFilesMs?: number
  /** `find` looks at no job that is this much older than the newest: it is asked within days, after a crash. */
  readonly findMs?: number
  readonly maxFileBytes?: number
}

const dayMs = 86_400_000
const defaults = {
  deadlineMs: 60_000,
  uploadMs: 900_000,
  visibleMs: 120_000,
  expireFilesMs: 7 * dayMs,
  findMs: 8 * dayMs,
  maxFileBytes: maxInputBytes
}
const checkDeadlineMs = 10_000
const firstLookMs = 100
const longestLookMs = 5_000
/** What other providers call a file that they have not looked at yet. */
const unready = new Set(['uploaded', 'pending', 'running', 'processing'])

/** @throws {Failure} `SPOOL_UNAVAILABLE` */
export async function openBatchProvider(
  settings: ProviderSettings,
  options: OpenaiBatchOptions
): Promise<BatchProvider> {
  const spool = await Spool.open(options.directory)
  return new OpenaiBatchProvider(settings, { ...defaults, ...options }, spool)
}

class OpenaiBatchProvider implements BatchProvider {
  readonly model: string
  readonly dimensions: number
  readonly #client: OpenAI
  readonly #format: InputFormat
  readonly #options: Required<OpenaiBatchOptions>
  readonly #spool: Spool

  constructor(settings: ProviderSettings, options: Required<OpenaiBatchOptions>, spool: Spool) {
    this.model = settings.EMBEDDING_MODEL
    this.dimensions = settings.EMBEDDING_DIMENSIONS
    this.#client = openClient(settings)
    this.#format = new InputFormat(this)
    this.#options = options
    this.#spool = spool
  }

  lineBytes(text: string): number {
    return this.#format.lineBytes(text)
  }

  async upload(
    key: ManifestKey,
    lines: AsyncIterable<BatchLine>,
    signal: AbortSignal
  ): Promise<{ readonly fileId: string; readonly bytes: number }> {
    signal.throwIfAborted()
    await using file = await this.#spool.create()
    const { bytes } = await writeInput(file, this.#spool, lines, {
      format: this.#format,
      maxBytes: this.#options.maxFileBytes,
      signal
    })
    const fileId = await this.#send(key, file, bytes, signal)
    await this.#seen(fileId, signal)
    return { fileId, bytes }
  }

  async create(key: JobKey, fileId: string, signal: AbortSignal): Promise<JobReport> {
    const request: OpenAI.BatchCreateParams = {
      input_file_id: fileId,
      endpoint: '/v1/embeddings',
      completion_window: '24h',
      metadata: metadataOf(key),
      output_expires_after: { anchor: 'created_at', seconds: this.#expireSeconds() }
    }
    const batch = await this.#ask(signal, true, options => this.#client.batches.create(request, options))
    try {
      return await this.#reportOf(batch, signal)
    } catch (error) {
      signal.throwIfAborted()
      // Whatever that was: there may be a job by now, and no other code says so.
      throw new Failure('EMBED_OUTCOME_UNKNOWN', messageOf(error), { cause: error })
    }
  }

  async find(key: JobKey, signal: AbortSignal): Promise<JobReport | undefined> {
    signal.throwIfAborted()
    // Counted from the newest job, by the provider's clock: if ours went wrong, a job would be overlooked, and made again.
    let oldestMs: number | undefined
    for await (const batch of this.#list('/batches', { limit: 100 }, signal)) {
      if (isOf(batch, key)) return await this.#reportOf(batch, signal)
      const createdMs = timeMsOf(fieldOf(batch, 'created_at'))
      if (createdMs === undefined) continue
      oldestMs ??= createdMs - this.#options.findMs
      if (createdMs < oldestMs) return undefined
    }
    return undefined
  }

  async report(batchId: string, signal: AbortSignal): Promise<JobReport> {
    const batch = await this.#ask(signal, true, options => this.#client.batches.retrieve(batchId, options))
    return await this.#reportOf(batch, signal)
  }

  async cancel(batchId: string, signal: AbortSignal): Promise<void> {
    await this.#ask(signal, true, async options => {
      try {
        await this.#client.batches.cancel(batchId, options)
      } catch (error) {
        // It has ended.
        if (!isStatus(error, 409)) throw error
      }
    })
  }

  async results(
    _key: ManifestKey,
    files: { readonly outputFileId: string | undefined; readonly errorFileId: string | undefined },
    signal: AbortSignal
  ): Promise<JobResults> {
    signal.throwIfAborted()
    await using opened = new AsyncDisposableStack()
    const fetched: SpoolFile[] = []
    for (const fileId of [files.outputFileId, files.errorFileId]) {
      if (fileId === undefined) continue
      fetched.push(opened.use(await downloadFile(this.#downloads(), this.#spool, fileId, signal)))
    }
    const results = await OpenaiJobResults.open(fetched, this.#spool, this.dimensions, signal)
    opened.move()
    return results
  }

  async deleteFile(fileId: string, signal: AbortSignal): Promise<void> {
    await this.#ask(signal, true, async options => {
      try {
        await this.#client.files.delete(fileId, options)
      } catch (error) {
        if (!isStatus(error, 404)) throw error
      }
    })
  }

  async jobs(namespace: string, signal: AbortSignal): Promise<readonly NamedJob[]> {
    signal.throwIfAborted()
    // By id: a page may come with what stood on the one before.
    const found = new Map<string, NamedJob & { readonly createdMs: number }>()
    for await (const batch of this.#list('/batches', { limit: 100 }, signal)) {
      const [key, report] = [keyIn(batch), parseReport(batch)]
      if (report === undefined || key?.namespace !== namespace) continue
      const createdMs = timeMsOf(fieldOf(batch, 'created_at')) ?? 0
      found.set(report.batchId, { key, report: withErrors(report, () => undefined), createdMs })
    }
    const latestFirst = [...found.values()].toSorted((a, b) => b.createdMs - a.createdMs)
    return latestFirst.map(({ key, report }) => ({ key, report }))
  }

  contents(fileId: string, signal: AbortSignal): AsyncIterable<readonly Digest[]> {
    return inputContents(this.#downloads(), fileId, signal)
  }

  async inputFiles(namespace: string, signal: AbortSignal): Promise<readonly InputFile[]> {
    signal.throwIfAborted()
    const found: InputFile[] = []
    for await (const file of this.#list('/files', { purpose: 'batch', limit: 10_000 }, signal)) {
      const [fileId, name] = [textOf(fieldOf(file, 'id')), textOf(fieldOf(file, 'filename'))]
      const key = parseInputFileName(name ?? '')
      if (fileId !== undefined && key?.namespace === namespace) found.push({ fileId, key })
    }
    return found
  }

  async check(signal: AbortSignal): Promise<void> {
    const look = (options: AskOptions): Promise<unknown> => this.#client.batches.list({ limit: 1 }, options)
    await this.#ask(signal, false, look, checkDeadlineMs)
  }

  async checkSpool(): Promise<void> {
    await this.#spool.check()
  }

  async #send(key: ManifestKey, { handle }: SpoolFile, bytes: number, signal: AbortSignal): Promise<string> {
    const seconds = String(this.#expireSeconds())
    const send = async (options: AskOptions): Promise<unknown> => {
      const { body, headers } = multipartFile(handle, {
        fileName: inputFileName(key),
        bytes,
        fields: {
          purpose: 'batch',
          'expires_after[anchor]': 'created_at',
          'expires_after[seconds]': seconds
        }
      })
      return await this.#client.post('/files', { body, headers, ...options })
    }
    const file = await this.#ask(signal, false, send, this.#options.uploadMs)
    return textOf(fieldOf(file, 'id')) ?? unusable('the answer to the upload names no file')
  }

  /** Waits until an uploaded file can be seen: a job that is made before fails. */
  async #seen(fileId: string, signal: AbortSignal): Promise<void> {
    const untilMs = performance.now() + this.#options.visibleMs
    for (let waitMs = firstLookMs; ; waitMs = Math.min(2 * waitMs, longestLookMs)) {
      const file = await this.#look(fileId, signal)
      const status = textOf(fieldOf(file, 'status'))
      if (status === 'error') {
        throw new Failure('EMBED_REFUSED', textOf(fieldOf(file, 'status_details')) ?? 'the file is refused')
      }
      if (file !== undefined && !unready.has(status ?? '')) return
      if (performance.now() + waitMs > untilMs) unusable(`the file ${fileId} was uploaded and is not there`)
      await delay(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }

  /** @returns undefined when it cannot be seen now. */
  async #look(fileId: string, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.#ask(signal, true, options => this.#client.files.retrieve(fileId, options))
    } catch (error) {
      if (error instanceof Failure && error.code !== 'EMBED_REFUSED') return undefined
      throw error
    }
  }

  async #reportOf(batch: unknown, signal: AbortSignal): Promise<JobReport> {
    const report = parseReport(batch) ?? unusable('the answer describes no job')
    const numbers = report.errors.flatMap(({ line }) => line ?? [])
    const contents = await namedLines(this.#downloads(), report.inputFileId, new Set(numbers), signal)
    return withErrors(report, line => contents.get(line))
  }

  #list(
    path: string,
    query: Readonly<Record<string, string | number>>,
    signal: AbortSignal
  ): AsyncGenerator<unknown> {
    return listAll(this.#client, path, query, call => this.#ask(signal, false, call))
  }

  #downloads(): DownloadFrom {
    return { client: this.#client, deadlineMs: this.#options.deadlineMs }
  }

  #expireSeconds(): number {
    return Math.round(this.#options.expireFilesMs / 1_000)
  }

  /** @param named - see `jobFailure`. */
  async #ask<Answer>(
    signal: AbortSignal,
    named: boolean,
    call: (options: AskOptions) => Promise<Answer>,
    deadlineMs = this.#options.deadlineMs
  ): Promise<Answer> {
    try {
      return await askWithin(deadlineMs, signal, call)
    } catch (error) {
      signal.throwIfAborted()
      throw jobFailure(error, named)
    }
  }
}

function withErrors(
  { errors, ...report }: ParsedReport,
  contentOf: (line: number) => JobReport['errors'][number]['content']
): JobReport {
  return {
    ...report,
    errors: errors.map(({ code, line, message }) => {
      return { code, message, content: line === undefined ? undefined : contentOf(line) }
    })
  }
}

function unusable(what: string): never {
  throw new Failure('EMBED_OUTCOME_UNKNOWN', what)
}
