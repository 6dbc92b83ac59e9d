// Failures of calls about files and jobs. They differ from those of an embeddings call: a 404 names what is gone, and
// no 400 is about a text.
import { APIError } from 'openai'
import { Failure } from '../../domain/failure.ts'
import { classify } from './classify.ts'
import { retryAfterMs } from './rate-limit-headers.ts'

/** @param named - whether the call names a job or a file; else a 404 means that the provider has no such thing as jobs. */
export function jobFailure(error: unknown, named: boolean): Failure {
  if (!(error instanceof APIError) || typeof error.status !== 'number') return classify(error)
  const { message, status } = error
  const options = { cause: error }
  if (status === 404 && named) return new Failure('JOB_GONE', message, options)
  if (status === 404 || status === 405 || status === 501) {
    return new Failure('EMBED_REFUSED', `${message} (check OPENAI_BASE_URL: does it know batches?)`, options)
  }
  if (status === 400 || status === 422) {
    return isQueueFull(error)
      ? new Failure('EMBED_RATE_LIMITED', message, {
          ...options,
          retryAfterMs: retryAfterMs(error.headers, message)
        })
      : new Failure('EMBED_REFUSED', message, options)
  }
  return classify(error)
}

/** Tokens of the jobs that wait: room comes by itself. */
function isQueueFull({ code, message }: APIError): boolean {
  return code === 'token_limit_exceeded' || /enqueued token limit/i.test(message)
}

/** Whether an error is the provider's answer with this status. */
export function isStatus(error: unknown, status: number): boolean {
  return error instanceof APIError && error.status === status
}
