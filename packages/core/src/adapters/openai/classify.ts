// From what a call threw to the one code that decides what happens next. The message is looked at only for numbers:
// the index of a bad input, the seconds to wait.
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import { Failure } from '../../domain/failure.ts'
import { retryAfterMs } from './rate-limit-headers.ts'

const fundsCodes = new Set([
  'insufficient_quota',
  'credit_balance_exhausted',
  'organization_spend_limit_exceeded',
  'project_spend_limit_exceeded'
])

/** The connection was never made, so nothing was sent. */
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT'
])

export function classify(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof APIConnectionTimeoutError) return unknown('no answer within the deadline', error)
  if (error instanceof APIConnectionError) return ofConnection(error)
  if (error instanceof APIError && typeof error.status === 'number') return ofStatus(error, error.status)
  return unknown(`the answer is not usable: ${error instanceof Error ? error.message : String(error)}`, error)
}

function ofConnection(error: APIConnectionError): Failure {
  const code = codesOf(error).find(each => neverSent.has(each))
  if (code === undefined) return unknown('the connection broke', error)
  return new Failure('EMBED_UNAVAILABLE', `the provider cannot be reached (${code})`, { cause: error })
}

function ofStatus(error: APIError, status: number): Failure {
  const { message } = error
  const options = { cause: error }
  if (status === 429) return ofRateLimit(error)
  if (status === 401 || status === 403) {
    return new Failure('EMBED_REFUSED', `${message} (check OPENAI_API_KEY and its permissions)`, options)
  }
  if (status === 404) {
    return new Failure('EMBED_REFUSED', `${message} (check EMBEDDING_MODEL and OPENAI_BASE_URL)`, options)
  }
  if (status === 413 || error.code === 'max_tokens_per_request' || error.type === 'max_tokens_per_request') {
    return new Failure('EMBED_TOO_LARGE', message, options)
  }
  if (status === 400 || status === 422) {
    if (message.includes('array length')) return new Failure('EMBED_TOO_LARGE', message, options)
    if (error.param === 'dimensions' || error.param === 'model')
      return new Failure('EMBED_REFUSED', message, options)
    return new Failure('EMBED_INPUT_REJECTED', message, { ...options, inputIndex: indexOf(message) })
  }
  // A 5xx, and whatever we do not know: it may have been carried out.
  return unknown(message, error)
}

function ofRateLimit(error: APIError): Failure {
  const { code, message } = error
  if (fundsCodes.has(code ?? '') || fundsCodes.has(error.type ?? '')) {
    return new Failure('EMBED_OUT_OF_FUNDS', message, { cause: error })
  }
  if (/^request too large/i.test(message.replace(/^429 /, ''))) {
    return new Failure('EMBED_TOO_LARGE', message, { cause: error })
  }
  const waitMs = retryAfterMs(error.headers, message)
  return new Failure('EMBED_RATE_LIMITED', message, { cause: error, retryAfterMs: waitMs })
}

function unknown(message: string, cause: unknown): Failure {
  return new Failure('EMBED_OUTCOME_UNKNOWN', message, { cause })
}

function indexOf(message: string): number | undefined {
  const index = /input\[(\d+)\]/.exec(message)?.[1]
  return index === undefined ? undefined : Number(index)
}

/** The codes of an error and of everything that caused it. */
function codesOf(error: unknown): readonly string[] {
  const codes: string[] = []
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string') codes.push(current.code)
    if (current instanceof AggregateError) codes.push(...current.errors.flatMap(codesOf))
  }
  return codes
}
