import { ApiError } from '../api-error.ts'
import type { ByteBuffer } from '../byte-buffer.ts'
import { writeAnswer } from '../embeddings-answer.ts'
import { parseEmbeddingsRequest } from '../embeddings-request.ts'
import type { EmbeddingsRequest } from '../embeddings-request.ts'
import { newHex } from '../ids.ts'
import type { TokenCounter } from '../token-counter.ts'
import type { Vectors, VectorSource } from '../vector-source.ts'
import { parseObject } from './check-line.ts'

/** A line as the endpoint sees it: what is to be embedded, or what it answers instead. */
export interface PreparedLine {
  readonly customId: string
  readonly request: EmbeddingsRequest | ApiError
}

/** What becomes of a line. */
export type LineOutcome =
  | {
      readonly kind: 'embedded'
      readonly customId: string
      readonly request: EmbeddingsRequest
      readonly vectors: Vectors
    }
  | { readonly kind: 'refused'; readonly customId: string; readonly error: ApiError }

/** Why a line never ran. */
export interface NotRun {
  readonly code: 'batch_expired' | 'batch_cancelled'
  readonly message: string
}

const endOfAnswer = '},"error":null}\n'

interface Embedding {
  readonly vectors: VectorSource
  readonly counter: TokenCounter
}

/** @param line - one that has passed the inspection. */
export function prepareLine(line: Buffer, { counter, vectors }: Embedding): PreparedLine {
  const { body, customId } = readLine(line)
  try {
    return { customId, request: parseEmbeddingsRequest(body, vectors.models, counter) }
  } catch (error) {
    if (error instanceof ApiError) return { customId, request: error }
    throw error
  }
}

/** The same as would become of it as a request of its own. */
export async function runLine(
  { customId, request }: PreparedLine,
  { vectors }: Embedding
): Promise<LineOutcome> {
  if (request instanceof ApiError) return { kind: 'refused', customId, error: request }
  const embedded = await vectors.embed(request.model, request.inputs, request.dimensions)
  return { kind: 'embedded', customId, request, vectors: embedded }
}

/** Writes the line of the output file or of the error file. */
export function writeOutcome(outcome: LineOutcome, target: ByteBuffer): void {
  if (outcome.kind === 'embedded') {
    openAnswer(outcome.customId, 200, target)
    writeAnswer(outcome.request, outcome.vectors, target)
    target.writeLatin1(endOfAnswer)
  } else {
    writeAnswered(outcome.customId, outcome.error.status, JSON.stringify(outcome.error.body), target)
  }
}

/** Writes a line with the answer of the endpoint. @param body - JSON. */
export function writeAnswered(
  customId: string,
  status: number,
  body: string | Buffer,
  target: ByteBuffer
): void {
  openAnswer(customId, status, target)
  if (typeof body === 'string') target.writeUtf8(body)
  else target.write(body)
  target.writeLatin1(endOfAnswer)
}

/** Writes a line that has no answer. */
export function writeUnanswered(
  customId: string,
  error: { readonly code: string; readonly message: string },
  target: ByteBuffer
): void {
  const line = { id: newRequestId(), custom_id: customId, response: null, error }
  target.writeUtf8(`${JSON.stringify(line)}\n`)
}

/** Writes the error line of one that never ran. */
export function writeNotRun(line: Buffer, error: NotRun, target: ByteBuffer): void {
  writeUnanswered(readLine(line).customId, error, target)
}

function readLine(line: Buffer): { readonly customId: string; readonly body: unknown } {
  const value = parseObject(line)
  return { customId: String(value?.['custom_id']), body: value?.['body'] }
}

function openAnswer(customId: string, status: number, target: ByteBuffer): void {
  target.writeUtf8(
    `{"id":"${newRequestId()}","custom_id":${JSON.stringify(customId)},"response":{"status_code":${status},"request_id":"req_${newHex()}","body":`
  )
}

function newRequestId(): string {
  return `batch_req_${newHex()}`
}
