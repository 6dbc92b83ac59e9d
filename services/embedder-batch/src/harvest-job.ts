// Reads what a job came to, and finishes its manifest with it: in the order of the log and by the page, so that texts are
// read in ranges and what was done before a crash is not done again.
import { Failure } from '@pointsman/core/domain/failure'
import { finishWork } from '@pointsman/core/lane/finish-work'
import { giveUpParts } from '@pointsman/core/lane/give-up-parts'
import { loadItems } from '@pointsman/core/lane/load-items'
import type { JobResults } from '@pointsman/core/ports/batch-provider'
import type { Part } from '@pointsman/core/ports/ledger'
import type { BatchDeps, StopSignals } from './batch-deps.ts'
import { providerRestMs } from './provider-rest.ts'
import { JobSource } from './job-source.ts'
import type { Manifest } from './manifest.ts'
import { throughSpool } from './through-spool.ts'

/** How often a file that the provider does not know is asked for before it is believed to be lost. */
const fileTries = 5
/** One more than there are calls to the index at once, so that these never wait for a page to be read. */
const pagesInWork = 4

/** Resolves when the manifest is archived and its files are deleted at the provider. */
export async function harvestJob(
  manifest: Manifest,
  deps: BatchDeps,
  { grace, signal }: StopSignals
): Promise<void> {
  await deps.harvesting.use(async () => {
    if (await hasParts(manifest, grace)) {
      await using results = await fetchResults(manifest, deps, signal)
      deps.hit('ba.download')
      report(manifest, results, deps)
      const source = new JobSource(manifest, results, deps)
      // Parts may join until the last one of their payment key is settled.
      while (await hasParts(manifest, grace)) {
        const stop = { grace, signal }
        await deps.indexing.use(() => indexAll(manifest, source, deps, stop), signal)
      }
      // A provider that tells no total: what its lines say.
      if (manifest.job.paidTokens === 0) {
        await manifest.advance('terminal', { paidTokens: source.paidTokens }, grace)
      }
    }
  }, signal)
  await deleteFiles(manifest, deps, signal)
  deps.hit('ba.archive')
  if (!(await manifest.archive(grace))) throw new Error(`manifest ${manifest.id} has parts again`)
}

async function indexAll(
  manifest: Manifest,
  source: JobSource,
  deps: BatchDeps,
  { grace, signal }: StopSignals
): Promise<void> {
  // Who is not the owner any more would go round for ever: its settlements are refused one by one.
  await manifest.advance('terminal', {}, grace)
  const pages = manifest.pages(grace)
  const indexOn = async (): Promise<void> => {
    for await (const parts of pages) {
      signal.throwIfAborted()
      await indexPage(manifest, parts, source, deps, { grace, signal })
    }
  }
  // The results are there until the last of them has ended, however it ends.
  const ended = await Promise.allSettled(Array.from({ length: pagesInWork }, indexOn))
  for (const one of ended) if (one.status === 'rejected') throw one.reason
  await source.flush(true, grace)
}

async function indexPage(
  { id: obligation, owner }: Manifest,
  parts: readonly Part[],
  source: JobSource,
  deps: BatchDeps,
  { grace, signal }: StopSignals
): Promise<void> {
  for (const gate of [deps.gates.store, deps.gates.ledger]) await gate.pass(signal)
  const { items, missing } = await loadItems(parts, deps, grace)
  deps.hit('ba.parse')
  if (items.length > 0) {
    const work = { obligation, owner, attempts: 1, items, lookUp: 'latest' } as const
    await finishWork(work, source.forPage(), deps, grace)
  }
  for (const { part, reason } of missing) {
    await giveUpParts({ obligation, owner, attempts: 1, parts: [part], reason }, deps, grace)
  }
  await source.flush(false, grace)
}

/** A file that is gone for good took its lines with it: they are counted as paid for nothing, and said. */
async function fetchResults(manifest: Manifest, deps: BatchDeps, signal: AbortSignal): Promise<JobResults> {
  const { clock, owned, provider, warn } = deps
  const { errorFileId, outputFileId } = manifest.job
  const files = { outputFileId: outputFileId || undefined, errorFileId: errorFileId || undefined }
  const key = { ...owned, manifest: manifest.id }
  for (let tries = 1; ; tries += 1) {
    try {
      return await throughSpool(() => provider.results(key, files, signal), deps, signal)
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'JOB_GONE') throw error
      warn(`manifest ${manifest.id}: ${error.message}`)
      if (tries === fileTries) break
      await clock.sleep(providerRestMs(tries, deps), signal)
    }
  }
  warn(`manifest ${manifest.id}: its results are lost; what was paid for in them is paid for again`)
  const none = { outputFileId: undefined, errorFileId: undefined }
  return provider.results(key, none, signal)
}

function report({ id, job }: Manifest, { lines, repeats, strangers }: JobResults, { warn }: BatchDeps): void {
  if (strangers + repeats > 0) {
    warn(
      `manifest ${id}: of ${lines} lines of ${job.batchId}, ${strangers} name nothing of ours, ${repeats} repeat`
    )
  }
}

async function hasParts(manifest: Manifest, signal: AbortSignal): Promise<boolean> {
  const first = await manifest.pages(signal).next()
  return first.done !== true
}

/** The input goes last: whoever rebuilds a lost ledger knows by it that the job was not ended in order. */
async function deleteFiles(manifest: Manifest, deps: BatchDeps, signal: AbortSignal): Promise<void> {
  const { gates, provider } = deps
  const { errorFileId, inputFileId, outputFileId } = manifest.job
  for (const fileId of [outputFileId, errorFileId, inputFileId]) {
    if (fileId !== '') await gates.provider.run(() => provider.deleteFile(fileId, signal), signal)
  }
}
