import { Failure, policyOf } from '@pointsman/core/domain/failure'
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { SwitchRefused } from '../switching/switch-refused.ts'

/** RFC 9457. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  code: z.string().describe('stable name of the problem'),
  problems: z.array(z.string()).optional().describe('each thing that is wrong with the request')
})
export type Problem = z.output<typeof problem>

/** A request that is refused, and why. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.status = status
    this.code = code
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Malformed request',
  401: 'Not authenticated',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timed out',
  409: 'Conflict',
  413: 'Body too large',
  415: 'Unsupported media type',
  421: 'Misdirected request',
  422: 'Wrong request',
  431: 'Headers too large',
  500: 'Internal error',
  503: 'Not possible now'
}

/** An answer with this status, for the OpenAPI document. */
export function problemAnswer(status: number) {
  return {
    description: titles[status] ?? 'Refused',
    content: { 'application/problem+json': { schema: problem } }
  }
}

/** What a failed request answers. Nothing of an unforeseen error leaves the process: it may name what is private. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Refusal) return describe(error.status, error.code, error.message)
  if (hasZodFastifySchemaValidationErrors(error)) {
    const problems = error.validation.map(
      ({ instancePath, message }) => `${instancePath || '/'}: ${message ?? 'wrong'}`
    )
    return { ...describe(422, 'INVALID', 'the request is not what this call takes'), problems }
  }
  if (error instanceof SwitchRefused) return describe(409, error.code, error.message)
  if (error instanceof Failure) {
    const [disposition] = policyOf(error)
    return describe(disposition === 'reject' ? 422 : 503, error.code, error.message)
  }
  const status = statusOf(error)
  if (!isResponseSerializationError(error) && status >= 400 && status < 500) {
    return describe(status, 'BAD_REQUEST', error instanceof Error ? error.message : 'bad request')
  }
  return describe(500, 'INTERNAL', 'the reason is in the log of the controller')
}

function describe(status: number, code: string, detail: string): Problem {
  const type = `urn:pointsman:problem:${code.toLowerCase().replaceAll('_', '-')}`
  return { type, title: titles[status] ?? 'Refused', status, detail, code }
}

function statusOf(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  return typeof status === 'number' ? status : 500
}
