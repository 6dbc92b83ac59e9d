export interface ApiErrorFields {
  readonly status: number
  readonly message: string
  readonly type: string
  readonly code?: string | null
  readonly param?: string | null
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer that is not 2xx, in the envelope of OpenAI: always all four keys. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: {
    readonly error: {
      readonly message: string
      readonly type: string
      readonly param: string | null
      readonly code: string | null
    }
  }

  constructor(fields: ApiErrorFields) {
    super(fields.message)
    const { message, type, param = null, code = null } = fields
    this.status = fields.status
    this.headers = fields.headers ?? {}
    this.body = { error: { message, type, param, code } }
  }
}

/** 400 `invalid_request_error`: the request can never succeed as it is. */
export function invalidRequest(
  message: string,
  param: string | null = null,
  code: string | null = null
): ApiError {
  return new ApiError({ status: 400, message, type: 'invalid_request_error', param, code })
}
