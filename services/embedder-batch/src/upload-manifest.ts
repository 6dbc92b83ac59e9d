// From a sealed manifest to an input file at the provider: one line per payment key, its text read again from the log.
import type { Digest } from '@pointsman/core/domain/identity'
import { giveUpParts } from '@pointsman/core/lane/give-up-parts'
import { loadItems } from '@pointsman/core/lane/load-items'
import { Disowned } from '@pointsman/core/lane/vector-source'
import type { BatchLine } from '@pointsman/core/ports/batch-provider'
import type { Part } from '@pointsman/core/ports/ledger'
import type { BatchDeps } from './batch-deps.ts'
import type { Manifest } from './manifest.ts'
import { throughSpool } from './through-spool.ts'

/** @returns false when nothing of it is left to be embedded. */
export async function uploadManifest(
  manifest: Manifest,
  deps: BatchDeps,
  signal: AbortSignal
): Promise<boolean> {
  const { hit, owned, provider } = deps
  const uploaded = await throughSpool(
    async () => {
      const sums = { lines: 0, tokens: 0 }
      const lines = linesOf(manifest, sums, deps, signal)
      const first = await lines.next()
      if (first.done === true) return undefined
      const file = await provider.upload(
        { ...owned, manifest: manifest.id },
        withFirst(first.value, lines),
        signal
      )
      return { ...file, ...sums }
    },
    deps,
    signal
  )
  if (uploaded === undefined) return false
  hit('ba.upload')
  const { bytes, fileId, lines, tokens } = uploaded
  try {
    await manifest.advance('uploaded', { inputFileId: fileId, bytes, lines, tokens }, signal)
  } catch (error) {
    // The next owner sends a file of its own. If this fails, the sweep finds ours.
    if (error instanceof Disowned) await provider.deleteFile(fileId, signal).catch(() => undefined)
    throw error
  }
  hit('ba.fileid')
  return true
}

async function* linesOf(
  manifest: Manifest,
  sums: { lines: number; tokens: number },
  deps: BatchDeps,
  signal: AbortSignal
): AsyncGenerator<BatchLine> {
  const done = new Set<Digest>()
  for await (const parts of manifest.pages(signal)) {
    const { items, missing } = await loadItems(firstOfEach(parts, done), deps, signal)
    for (const { logged, part } of items) {
      const { content, offset, partition, tokens } = part
      if (content === undefined) continue
      done.add(content)
      sums.lines += 1
      sums.tokens += tokens
      yield { content, partition, offset, text: logged.document.text }
    }
    for (const { part, reason } of missing) {
      const { id: obligation, owner } = manifest
      await giveUpParts({ obligation, owner, attempts: 0, parts: [part], reason }, deps, signal)
    }
  }
  deps.hit('ba.file')
}

/** One part per content that has no line yet. */
function firstOfEach(parts: readonly Part[], done: ReadonlySet<Digest>): readonly Part[] {
  const firsts = new Map<Digest, Part>()
  for (const part of parts) {
    if (part.content === undefined || done.has(part.content) || firsts.has(part.content)) continue
    firsts.set(part.content, part)
  }
  return [...firsts.values()]
}

async function* withFirst<Value>(first: Value, rest: AsyncIterable<Value>): AsyncGenerator<Value> {
  yield first
  yield* rest
}
