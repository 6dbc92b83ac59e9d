// Input files of jobs: a line for each text, always in the same key order, so that equal lines are equal bytes.
import { Failure } from '../../domain/failure.ts'
import { formatCustomId, parseCustomId } from '../../domain/custom-id.ts'
import type { Digest, EmbeddingSpec, ObligationId } from '../../domain/identity.ts'
import type { BatchLine, ManifestKey } from '../../ports/batch-provider.ts'
import { takesDimensions } from './client.ts'
import { fieldOf } from './field.ts'
import type { Spool, SpoolFile } from './spool.ts'

const maxInputLines = 50_000
export const maxInputBytes = 209_715_200

/** Characters of what `formatCustomId` writes. */
export const longestCustomId = 55
const writeBytes = 262_144
const namePattern = /^(.+)\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(.+)\.jsonl$/

/** Writes the lines of one model. */
export class InputFormat {
  readonly #model: string
  readonly #behind: string
  readonly #frameBytes: number

  constructor({ dimensions, model }: EmbeddingSpec) {
    const size = takesDimensions(model) ? `,"dimensions":${dimensions}` : ''
    this.#model = JSON.stringify(model)
    this.#behind = `,"encoding_format":"base64"${size}}}\n`
    this.#frameBytes = Buffer.byteLength(this.#before('x'.repeat(longestCustomId)) + this.#behind)
  }

  /** Lone surrogates are replaced: no encoding of them is valid everywhere. NUL is escaped, as JSON does it. */
  line(line: BatchLine): string {
    return this.#before(formatCustomId(line)) + JSON.stringify(line.text.toWellFormed()) + this.#behind
  }

  /** At least the bytes of a line with this text. */
  lineBytes(text: string): number {
    return this.#frameBytes + Buffer.byteLength(JSON.stringify(text))
  }

  #before(customId: string): string {
    const head = `{"custom_id":"${customId}","method":"POST","url":"/v1/embeddings"`
    return `${head},"body":{"model":${this.#model},"input":`
  }
}

export interface WrittenInput {
  readonly lines: number
  readonly bytes: number
}

/**
 * Writes the lines down to the disk, never holding more than some of them.
 * @throws {Failure} `EMBED_TOO_LARGE`, `SPOOL_UNAVAILABLE`; and what the lines throw.
 */
export async function writeInput(
  file: SpoolFile,
  spool: Spool,
  lines: AsyncIterable<BatchLine>,
  {
    format,
    maxBytes,
    signal
  }: { readonly format: InputFormat; readonly maxBytes: number; readonly signal: AbortSignal }
): Promise<WrittenInput> {
  const pending = Buffer.allocUnsafe(writeBytes)
  let used = 0
  let count = 0
  let bytes = 0
  const flush = async (): Promise<void> => {
    await spool.guard(() => file.handle.writeFile(pending.subarray(0, used)))
    used = 0
  }
  for await (const line of lines) {
    signal.throwIfAborted()
    const written = format.line(line)
    const size = Buffer.byteLength(written)
    count += 1
    bytes += size
    if (count > maxInputLines || bytes > maxBytes) {
      throw new Failure('EMBED_TOO_LARGE', `a job takes ${maxInputLines} lines and ${maxBytes} bytes`)
    }
    if (used + size > pending.length) await flush()
    if (size > pending.length) await spool.guard(() => file.handle.writeFile(written))
    else used += pending.write(written, used)
  }
  if (count === 0) throw new RangeError('an input file needs a line')
  await flush()
  await spool.guard(() => file.handle.sync())
  return { lines: count, bytes }
}

export function inputFileName({ ledger, manifest, namespace }: ManifestKey): string {
  return `${namespace}.${ledger}.${manifest}.jsonl`
}

/** @returns undefined for a file that is not ours. */
export function parseInputFileName(name: string): ManifestKey | undefined {
  const [, namespace, ledger, manifest] = namePattern.exec(name) ?? []
  if (namespace === undefined || ledger === undefined || manifest === undefined) return undefined
  return { namespace, ledger, manifest: manifest as ObligationId }
}

/** What a line of an input file is about; undefined when it is not one of ours. */
export function contentOfInputLine(line: string): Digest | undefined {
  try {
    const customId = fieldOf(JSON.parse(line), 'custom_id')
    return typeof customId === 'string' ? parseCustomId(customId)?.content : undefined
  } catch {
    return undefined
  }
}
