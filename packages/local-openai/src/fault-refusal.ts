import type { FastifyReply } from 'fastify'
import { ApiError, invalidRequest } from './api-error.ts'
import { wrongKey } from './authorize.ts'
import type { Refusal } from './fault-request-kinds.ts'
import { rateLimitError } from './rate-limiter.ts'

/** Answers instead of doing the work. @param texts - the inputs of the request, if it has any. */
export function playRefusal(reply: FastifyReply, fault: Refusal, texts: readonly string[]): FastifyReply {
  if ('retryAfter' in fault && fault.retryAfter !== null && fault.retryAfter !== undefined) {
    reply.header('retry-after', String(fault.retryAfter))
    if (typeof fault.retryAfter === 'number') reply.header('retry-after-ms', String(fault.retryAfter * 1000))
  }
  if ('shouldRetry' in fault && fault.shouldRetry !== undefined) {
    reply.header('x-should-retry', String(fault.shouldRetry))
  }
  if (fault.kind === 'http_error' && fault.body !== 'json') {
    const page = `<html><head><title>${fault.status}</title></head><body><h1>${fault.status}</h1></body></html>`
    return reply
      .code(fault.status)
      .type('text/html; charset=utf-8')
      .send(fault.body === 'html' ? page : '')
  }
  const { status, body } = errorOf(fault, texts)
  return reply.code(status).send(body)
}

function errorOf(fault: Refusal, texts: readonly string[]): ApiError {
  switch (fault.kind) {
    case 'rate_limited': {
      const message = `Rate limit reached for the model in organization org-local on ${fault.limitedBy} per min. Please try again later. Visit https://platform.openai.com/account/rate-limits to learn more.`
      return rateLimitError({ type: fault.limitedBy, message }, {})
    }
    case 'slow_down':
      return new ApiError({
        status: 429,
        message: 'Request rate increased too quickly. Please slow down.',
        type: 'requests',
        code: 'slow_down'
      })
    case 'insufficient_quota':
      return new ApiError({
        status: 429,
        message: 'You exceeded your current quota, please check your plan and billing details.',
        type: 'insufficient_quota',
        code: fault.code
      })
    case 'http_error':
      return statusError(fault)
    case 'unauthorized':
      return wrongKey('revoked-key')
    case 'poisoned_input': {
      const index = texts.findIndex(text => text.includes(fault.containing))
      return fault.namesInput
        ? invalidRequest(`Invalid 'input[${index}]': input cannot be embedded.`, `input[${index}]`)
        : invalidRequest("'$.input' is invalid. Please check the API reference.")
    }
  }
}

function statusError(fault: Extract<Refusal, { readonly kind: 'http_error' }>): ApiError {
  const overloaded = fault.status === 503
  const serverMessage = overloaded
    ? 'The server is overloaded. Please try again later.'
    : 'The server had an error while processing your request. Sorry about that!'
  const isServers = fault.status >= 500
  return new ApiError({
    status: fault.status,
    message: fault.message ?? (isServers ? serverMessage : `Refused with status ${fault.status}.`),
    type: fault.type ?? (isServers ? 'server_error' : 'invalid_request_error'),
    code: fault.code ?? (overloaded ? 'server_is_overloaded' : null),
    param: fault.param
  })
}
