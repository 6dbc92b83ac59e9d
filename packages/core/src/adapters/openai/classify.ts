// From what a call threw to the one code that decides what happens next. Status, type and code decide; the message
// only where OpenAI has nothing else: which limit a 400 is about, the index of a bad input, the seconds to wait.
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import { Failure } from '../../domain/failure.ts'
import { DeadlineError } from '../../runtime/deadline.ts'
import { retryAfterMs } from './rate-limit-headers.ts'
import { messageOf } from '../../runtime/message-of.ts'

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
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
])

/** A 400 that the texts have caused; any other is about the request, and every request would get it. */
const aboutInput = /\binput\b|maximum context length|parse the JSON body/i

export function isAboutInput(message: string, param: string | null | undefined): boolean {
  return param?.includes('input') === true || aboutInput.test(message)
}

export function classify(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof DeadlineError) return unknown(error.message, error)
  if (error instanceof APIConnectionTimeoutError) return unknown('no answer within the deadline', error)
  if (error instanceof APIConnectionError) return ofConnection(error)
  if (error instanceof APIError && typeof error.status === 'number') return ofStatus(error, error.status)
  return unknown(`the answer is not usable: ${messageOf(error)}`, error)
}

/** The SDK takes a failed connection for a timeout when its text says so, and drops the cause: see `fetchOrUnreachable`. */
function ofConnection(error: APIConnectionError): Failure {
  return failureIn(error) ?? unreachable(error) ?? unknown('the connection broke', error)
}

/** As `fetch`, but a connection that was never made is a `Failure` that the SDK passes on as a cause. */
export async function fetchOrUnreachable(...request: Parameters<typeof fetch>): Promise<Response> {
  try {
    return await fetch(...request)
  } catch (error) {
    throw unreachable(error) ?? error
  }
}

function unreachable(error: unknown): Failure | undefined {
  const code = codesOf(error).find(each => neverSent.has(each))
  if (code === undefined) return undefined
  const reason = code.includes('TIMEOUT') ? 'no connection' : code
  return new Failure('EMBED_UNAVAILABLE', `the provider cannot be reached (${reason})`, { cause: error })
}

function failureIn(error: Error): Failure | undefined {
  if (error instanceof Failure) return error
  return error.cause instanceof Error ? failureIn(error.cause) : undefined
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
  if (status === 402) return new Failure('EMBED_OUT_OF_FUNDS', message, options)
  if (status === 400 || status === 422) return ofBadRequest(error)
  // A 5xx, and whatever we do not know: it may have been carried out.
  return unknown(message, error, retryAfterMs(error.headers, message))
}

function ofBadRequest(error: APIError): Failure {
  const { message, param } = error
  if (/array length|array too long/i.test(message))
    return new Failure('EMBED_TOO_LARGE', message, { cause: error })
  if (!isAboutInput(message, param)) {
    const remedy = 'check EMBEDDING_MODEL and EMBEDDING_DIMENSIONS'
    return new Failure('EMBED_REFUSED', `${message} (${remedy})`, { cause: error })
  }
  return new Failure('EMBED_INPUT_REJECTED', message, { cause: error, inputIndex: indexOf(message, param) })
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

function unknown(message: string, cause: unknown, waitMs?: number): Failure {
  return new Failure('EMBED_OUTCOME_UNKNOWN', message, { cause, retryAfterMs: waitMs })
}

function indexOf(message: string, param: string | null | undefined): number | undefined {
  const index = /input\[(\d+)\]/.exec(`${message} ${param ?? ''}`)?.[1]
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
