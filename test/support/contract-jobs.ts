// Jobs as contract tests make them: each with a namespace of its own, and with texts that are paid for once.
import { randomUUID } from 'node:crypto'
import { Failure } from '@pointsman/core/domain/failure'
import type { Digest, ObligationId } from '@pointsman/core/domain/identity'
import type {
  BatchLine,
  BatchProvider,
  JobKey,
  JobReport,
  JobResults,
  LineOutcome
} from '@pointsman/core/ports/batch-provider'

const { signal } = new AbortController()

export interface BatchProviderUnderTest {
  readonly provider: BatchProvider
  /** Resolves when the job has ended. */
  readonly end: (batchId: string) => Promise<void>
}

export interface SubmittedJob {
  readonly key: JobKey
  readonly lines: readonly BatchLine[]
  readonly fileId: string
  readonly bytes: number
  readonly job: JobReport
}

/** A job of these texts, with its lines. */
export async function submit(
  provider: BatchProvider,
  texts: readonly string[],
  key = newKey()
): Promise<SubmittedJob> {
  const lines = linesOf(texts)
  const { bytes, fileId } = await provider.upload(key, each(lines), signal)
  return { key, lines, fileId, bytes, job: await provider.create(key, fileId, signal) }
}

export function newKey(): JobKey {
  const namespace = `contract.${randomUUID()}`
  return { namespace, ledger: randomUUID(), manifest: '1.1.1' as ObligationId, create: 1 }
}

export function digest(): Digest {
  return randomUUID().replaceAll('-', '').slice(0, 24) as Digest
}

export function linesOf(texts: readonly string[]): readonly BatchLine[] {
  return texts.map((text, index) => ({
    content: digest(),
    partition: index % 3,
    offset: BigInt(index),
    text
  }))
}

export async function* each(lines: readonly BatchLine[]): AsyncGenerator<BatchLine> {
  await Promise.resolve()
  yield* lines
}

export async function contentsOf(
  provider: BatchProvider,
  fileId: string
): Promise<readonly (readonly Digest[])[]> {
  return await Array.fromAsync(provider.contents(fileId, signal))
}

export async function read(
  results: JobResults,
  lines: readonly BatchLine[]
): Promise<ReadonlyMap<Digest, LineOutcome>> {
  return await results.read(lines.map(({ content }) => content))
}

export async function vectorsOf(
  results: JobResults,
  lines: readonly BatchLine[]
): Promise<readonly Uint8Array[]> {
  const outcomes = await read(results, lines)
  return lines.map(({ content, text }) => {
    const outcome = outcomes.get(content)
    if (outcome?.kind === 'vector') return outcome.vector
    throw new Error(`no vector for ${JSON.stringify(text)}: ${JSON.stringify(outcome)}`)
  })
}

export async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason
  )
  if (error instanceof Failure) return error
  throw new Error(`expected a Failure, got ${String(error)}`)
}
