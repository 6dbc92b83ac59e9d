// The jobs at the provider that may still bring something. A creator of the lost ledger that was paused before its call
// can do no harm afterwards: the file that it would name is gone, or its job is listed here.
import type { Digest, ObligationId } from '@pointsman/core/domain/identity'
import { Failure } from '@pointsman/core/domain/failure'
import type { ManifestKey, NamedJob } from '@pointsman/core/ports/batch-provider'
import type { Job } from '@pointsman/core/ports/job'
import type { Parts } from '../parts.ts'
import { chunked } from '../chunked.ts'

export interface FoundJob {
  readonly manifest: ObligationId
  readonly job: Job
  /** Of its vectors none has come out yet; all of them may. */
  readonly isRunning: boolean
}

export interface FoundJobs {
  readonly jobs: readonly FoundJob[]
  /** The one job, by its place in the list, that each vector is to come from. */
  readonly sources: ReadonlyMap<Digest, number>
}

const contentsAtOnce = 500
const live: ReadonlySet<string> = new Set([
  'validating',
  'in_progress',
  'finalizing',
  'cancelling',
  'unknown'
])

export interface JobSearch {
  /** Of this installation: another one with the same key and namespace has jobs and files of its own. */
  readonly ledgerIds: ReadonlySet<string>
  /** How long the provider's list may lag behind. */
  readonly listGraceMs: number
  /**
   * What the files were about that this process has deleted, by their ids: a search that fails is begun again. A job that
   * runs already may be listed only then, and nobody else could tell what it is about.
   */
  readonly deletedInputs: Map<string, readonly Digest[]>
}

export async function findJobs(
  { clock, ledger, names, provider }: Pick<Parts, 'clock' | 'ledger' | 'names' | 'provider'>,
  { deletedInputs, ledgerIds, listGraceMs }: JobSearch,
  onProgress: (done: number, total: number) => Promise<void>,
  signal: AbortSignal
): Promise<FoundJobs> {
  const { namespace } = names
  const ours = <Named extends { readonly key: ManifestKey }>(all: readonly Named[]): readonly Named[] =>
    all.filter(({ key }) => ledgerIds.has(key.ledger))
  const hasFiles = ours(await provider.inputFiles(namespace, signal)).length > 0
  // What was made before the loss is listed after this: the file of a job that runs is not taken for a stray one.
  if (hasFiles) await clock.sleep(listGraceMs, signal)
  const files = ours(await provider.inputFiles(namespace, signal))
  const known = new Set((await provider.jobs(namespace, signal)).map(({ report }) => report.inputFileId))
  const strays = files.filter(({ fileId }) => !known.has(fileId))
  for (const { fileId } of strays) {
    const contents = await Array.fromAsync(inputOf(fileId, provider, signal))
    deletedInputs.set(fileId, contents.flat())
    await provider.deleteFile(fileId, signal)
  }
  // A call that came just before its file was deleted.
  if (deletedInputs.size > 0) await clock.sleep(listGraceMs, signal)

  const listed = ours(await provider.jobs(namespace, signal))
  const kept = new Set((await provider.inputFiles(namespace, signal)).map(({ fileId }) => fileId))
  // Of a job that was harvested to its end no file is left; one that failed validation has made nothing.
  const usable = listed.filter(
    ({ report: { inputFileId, status } }) =>
      status !== 'failed' && (live.has(status) || kept.has(inputFileId) || deletedInputs.has(inputFileId))
  )
  const { nowMs } = await ledger.survey()
  const sources = new Map<Digest, number>()
  const jobs: FoundJob[] = []
  // What has come out already counts more than what may come.
  for (const one of [...usable.filter(isEnded), ...usable.filter(job => !isEnded(job))]) {
    await onProgress(jobs.length, usable.length)
    const place = jobs.length
    const told = deletedInputs.get(one.report.inputFileId)
    const input = told === undefined ? inputOf(one.report.inputFileId, provider, signal) : [told]
    const read = await linesOf(one, input, provider, signal, content => {
      if (!sources.has(content)) sources.set(content, place)
    })
    const isTwin = jobs.some(({ manifest }) => manifest === one.key.manifest)
    const manifest = isTwin ? (`${one.key.manifest}.${one.key.create}` as ObligationId) : one.key.manifest
    jobs.push({ manifest, job: jobOf(one, read, nowMs), isRunning: !isEnded(one) })
  }
  return { jobs, sources }
}

/**
 * Reads which vectors a job has brought, or may bring.
 * @returns how many lines it has; 0 when its input is gone, so that nothing is known of them.
 */
async function linesOf(
  job: NamedJob,
  input: AsyncIterable<readonly Digest[]> | Iterable<readonly Digest[]>,
  provider: Parts['provider'],
  signal: AbortSignal,
  onVector: (content: Digest) => void
): Promise<number> {
  let lines = 0
  try {
    await using results = isEnded(job) ? await provider.results(job.key, filesOf(job), signal) : undefined
    for await (const some of input) {
      for (const contents of chunked(some, contentsAtOnce)) {
        lines += contents.length
        const outcomes = await results?.read(contents)
        for (const content of contents) {
          if (outcomes === undefined || outcomes.get(content)?.kind === 'vector') onVector(content)
        }
        results?.release(
          [...(outcomes?.values() ?? [])].flatMap(one => (one.kind === 'vector' ? one.vector : []))
        )
      }
    }
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'JOB_GONE')) throw error
  }
  return lines
}

/** The contents of an input file; none of one that is gone. */
async function* inputOf(
  fileId: string,
  provider: Parts['provider'],
  signal: AbortSignal
): AsyncGenerator<readonly Digest[]> {
  try {
    yield* provider.contents(fileId, signal)
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'JOB_GONE')) throw error
  }
}

function filesOf({
  report: { errorFileId, outputFileId }
}: NamedJob): Parameters<Parts['provider']['results']>[1] {
  return { outputFileId, errorFileId }
}

/** One that names no file yet may do so later: what has come out of it is not known. */
function isEnded({ report }: NamedJob): boolean {
  const namesFiles = report.outputFileId !== undefined || report.errorFileId !== undefined
  return namesFiles && !live.has(report.status)
}

function jobOf({ key, report }: NamedJob, lines: number, nowMs: number): Job {
  const { batchId, completed, failed, inputFileId, word } = report
  return {
    creates: key.create,
    lines,
    bytes: 0,
    tokens: 0,
    inputFileId,
    batchId,
    outputFileId: '',
    errorFileId: '',
    status: word,
    completed,
    failed,
    submittedMs: nowMs,
    progressMs: nowMs,
    endedMs: 0,
    notBeforeMs: 0,
    paidTokens: 0,
    order: ''
  }
}
