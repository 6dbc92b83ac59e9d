// Lines as they stand in the output and the error file of a job.
import { formatCustomId } from '@pointsman/core/domain/custom-id'
import type { Digest } from '@pointsman/core/domain/identity'

export function contentOf(index: number): Digest {
  return index.toString(16).padStart(24, '0') as Digest
}

export function customId(index: number): string {
  return formatCustomId({ content: contentOf(index), partition: 0, offset: BigInt(index) })
}

export function vectorBytes(numbers: readonly number[]): Buffer {
  return Buffer.from(Float32Array.from(numbers).buffer)
}

export function base64(numbers: readonly number[]): string {
  return vectorBytes(numbers).toString('base64')
}

/** A line that succeeded. */
export function answered(id: string, embedding: unknown, tokens = 3): object {
  return answeredWith(id, {
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding }],
    model: 'text-embedding-3-small',
    usage: { prompt_tokens: tokens, total_tokens: tokens }
  })
}

export function answeredWith(id: string, body: unknown, status: unknown = 200): object {
  const response = { status_code: status, request_id: 'req', body }
  return { id: 'batch_req_1', custom_id: id, response, error: null }
}

/** A line that the endpoint refused. */
export function refused(id: string, status: number, message: string): object {
  const error = { message, type: 'invalid_request_error', param: null, code: null }
  return answeredWith(id, { error }, status)
}

/** A line that never ran. */
export function notRun(id: string, code: string): object {
  return { id: 'batch_req_1', custom_id: id, response: null, error: { code, message: 'It did not run.' } }
}
