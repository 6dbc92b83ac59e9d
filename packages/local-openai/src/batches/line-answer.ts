import { ApiError } from '../api-error.ts'
import { composeAnswer } from '../embeddings-answer.ts'
import { parseEmbeddingsRequest } from '../embeddings-request.ts'
import type { EmbeddingsRequest } from '../embeddings-request.ts'
import { newHex } from '../ids.ts'
import type { TokenCounter } from '../token-counter.ts'
import type { VectorSource } from '../vector-source.ts'
import { parseObject } from './check-line.ts'

/** A line as the endpoint sees it: what is to be embedded, or what it answers instead. */
export interface PreparedLine {
  readonly customId: string
  readonly request: EmbeddingsRequest | ApiError
}

/** A line of the output or of the error file. */
export interface AnsweredLine {
  readonly bytes: Buffer
  readonly succeeded: boolean
  /** What is to be paid for it. */
  readonly paid: EmbeddingsRequest | undefined
}

/** Why a line never ran. */
export interface NotRun {
  readonly code: 'batch_expired' | 'batch_cancelled'
  readonly message: string
}

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

/** What becomes of a line: the answer that a request of its own would have got. */
export async function answerLine(
  { customId, request }: PreparedLine,
  { vectors }: Embedding
): Promise<AnsweredLine> {
  if (request instanceof ApiError) {
    const body = Buffer.from(JSON.stringify(request.body))
    return { bytes: frameAnswer(customId, request.status, body), succeeded: false, paid: undefined }
  }
  const embedded = await vectors.embed(request.model, request.inputs, request.dimensions)
  const body = composeAnswer(request, embedded)
  return { bytes: frameAnswer(customId, 200, body), succeeded: true, paid: request }
}

/** The error line of one that never ran. */
export function giveUpLine(line: Buffer, error: NotRun): Buffer {
  const { customId } = readLine(line)
  return Buffer.from(
    `${JSON.stringify({ id: newRequestId(), custom_id: customId, response: null, error })}\n`
  )
}

function readLine(line: Buffer): { readonly customId: string; readonly body: unknown } {
  const value = parseObject(line)
  return { customId: String(value?.['custom_id']), body: value?.['body'] }
}

function frameAnswer(customId: string, status: number, body: Buffer): Buffer {
  const head = `{"id":"${newRequestId()}","custom_id":${JSON.stringify(customId)},"response":{"status_code":${status},"request_id":"req_${newHex()}","body":`
  return Buffer.concat([Buffer.from(head), body, lineEnd])
}

const lineEnd = Buffer.from('},"error":null}\n')

function newRequestId(): string {
  return `batch_req_${newHex()}`
}
