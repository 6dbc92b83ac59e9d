// Jobs become manifests again: all of them, so that each ends in order, with the documents that wait for their vectors.
import type { Digest, ObligationId } from '@pointsman/core/domain/identity'
import type { LogRecord } from '@pointsman/core/ports/event-log'
import type { AwaitedDocument } from '@pointsman/core/ports/ledger-rebuild'
import { prepareRecord } from '@pointsman/core/runtime/prepare-record'
import type { Parts } from '../parts.ts'
import type { NewestTable } from '../verify/newest-table.ts'
import { chunked } from '../chunked.ts'
import type { FoundJobs } from './find-jobs.ts'
import type { Ahead } from './read-ahead.ts'

const documentsAtOnce = 256
const contentsAtOnce = 1000

/** @returns false when the rebuild is somebody else's by now. */
export async function adoptJobs(
  parts: Pick<Parts, 'codec' | 'ledger' | 'ranges' | 'spec'>,
  { jobs, sources }: FoundJobs,
  ahead: Ahead,
  onProgress: (done: number, total: number) => Promise<void>,
  signal: AbortSignal
): Promise<boolean> {
  const awaited = placesByJob(ahead, sources)
  for (const [index, { job, manifest }] of jobs.entries()) {
    await onProgress(index, jobs.length)
    if (!(await parts.ledger.adoptJob(manifest, job, []))) return false
    for (const places of chunked(awaited.get(index) ?? [], documentsAtOnce)) {
      const documents = await awaitedAt(places, ahead.newest, parts, signal)
      if (!(await parts.ledger.adoptJob(manifest, job, documents))) return false
    }
  }
  // What waits for a line already is known by now.
  for (const { contents, manifest } of promisesOf(jobs, sources)) {
    for (const some of chunked(contents, contentsAtOnce)) {
      if (!(await parts.ledger.promiseVectors(manifest, some))) return false
    }
  }
  return true
}

/** What each job that runs may bring. One that has ended is archived too soon to be waited for. */
function promisesOf(
  jobs: FoundJobs['jobs'],
  sources: FoundJobs['sources']
): readonly { readonly manifest: ObligationId; readonly contents: readonly Digest[] }[] {
  const promises = jobs.map(({ isRunning, manifest }) => ({
    isRunning,
    manifest,
    contents: new Array<Digest>()
  }))
  for (const [content, index] of sources) {
    const promise = promises[index]
    if (promise?.isRunning === true) promise.contents.push(content)
  }
  return promises
}

/** The ledger takes only those that it expects: what stands in the index already waits for nothing. */
function placesByJob(
  { contested, newest: table }: Ahead,
  sources: FoundJobs['sources']
): ReadonlyMap<number, readonly number[]> {
  const byJob = new Map<number, number[]>()
  for (const place of table.places()) {
    const { content } = table.newest(place)
    const job = content === undefined ? undefined : sources.get(content)
    if (job === undefined || contested.has(table.key(place))) continue
    const places = byJob.get(job)
    if (places === undefined) byJob.set(job, [place])
    else places.push(place)
  }
  return byJob
}

/** Read again: the table keeps neither metadata nor tokens. */
async function awaitedAt(
  places: readonly number[],
  table: NewestTable,
  { codec, ranges, spec }: Pick<Parts, 'codec' | 'ranges' | 'spec'>,
  signal: AbortSignal
): Promise<readonly AwaitedDocument[]> {
  const records: LogRecord[] = []
  const byPartition = Map.groupBy(places, place => table.newest(place).partition)
  for (const [partition, some] of byPartition) {
    const offsets = some.map(place => BigInt(table.newest(place).offset)).sort((a, b) => (a < b ? -1 : 1))
    records.push(...(await ranges.read(partition, offsets, signal)).records)
  }
  const prepared = await Promise.all(records.map(record => prepareRecord(record, codec, spec)))
  return prepared.flatMap(each => {
    if (each.kind !== 'candidate' || each.candidate.content === undefined) return []
    const { content, docKey, metadataHash, offset, tokens, version } = each.candidate
    return [{ partition: each.logged.partition, offset, docKey, version, content, metadataHash, tokens }]
  })
}
