// A job that failed validation ran nothing and cost nothing. Its manifest goes back to be sent again: the same file
// when the queue was full, else a new one without the lines that were named as bad.
import type { Digest } from '@pointsman/core/domain/identity'
import { giveUpParts } from '@pointsman/core/lane/give-up-parts'
import type { JobReport } from '@pointsman/core/ports/batch-provider'
import type { BatchDeps } from './batch-deps.ts'
import { ledgerTimeMs } from './job-board.ts'
import { providerRestMs } from './provider-rest.ts'
import type { Manifest } from './manifest.ts'

const queueFull = 'token_limit_exceeded'

export async function takeRejectedBack(
  manifest: Manifest,
  { errors }: JobReport,
  deps: BatchDeps,
  signal: AbortSignal
): Promise<void> {
  const { gates, options, provider, warn } = deps
  const { creates, inputFileId, lines } = manifest.job
  const [first] = errors
  const laterMs = (await ledgerTimeMs(deps, signal)) + providerRestMs(creates, deps)
  warn(`manifest ${manifest.id}: its job failed: ${first?.message ?? 'without a reason'}`)
  if (first?.code === queueFull) {
    return manifest.advance('uploaded', { batchId: '', notBeforeMs: laterMs }, signal)
  }
  const bad = new Map(errors.flatMap(({ content, message }) => (content ? [[content, message]] : [])))
  // When most lines are named, it is not the lines: a model or an endpoint that the provider does not take. But not for ever.
  const areLines = bad.size > 0 && (bad.size * 2 <= lines || creates >= options.maxFailures)
  const fields = { batchId: '', inputFileId: '', notBeforeMs: areLines ? 0 : laterMs }
  await manifest.advance('sealed', fields, signal)
  await gates.provider.run(() => provider.deleteFile(inputFileId, signal), signal)
  if (areLines) await dropLines(manifest, bad, deps, signal)
}

async function dropLines(
  manifest: Manifest,
  bad: ReadonlyMap<Digest, string>,
  deps: BatchDeps,
  signal: AbortSignal
): Promise<void> {
  const { id: obligation, owner } = manifest
  for await (const parts of manifest.pages(signal)) {
    for (const part of parts) {
      const reason = part.content && bad.get(part.content)
      if (reason === undefined) continue
      const given = { obligation, owner, attempts: 1, parts: [part], reason }
      await giveUpParts(given, deps, signal)
    }
  }
}
