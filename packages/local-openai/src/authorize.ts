import { ApiError } from './api-error.ts'

/** @throws {ApiError} 401 unless the header names a key that is let in. */
export function authorize(header: string | undefined, apiKeys: ReadonlySet<string> | undefined): void {
  const key = /^Bearer\s+(\S+)\s*$/i.exec(header ?? '')?.[1]
  if (key === undefined) {
    throw unauthorized(
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
      null
    )
  }
  if (apiKeys && !apiKeys.has(key)) throw wrongKey(key)
}

/** What OpenAI answers to a key it does not know; the key is masked as there. */
export function wrongKey(key: string): ApiError {
  const masked = key.length > 8 ? `${key.slice(0, 3)}****${key.slice(-4)}` : '****'
  return unauthorized(
    `Incorrect API key provided: ${masked}. You can find your API key at https://platform.openai.com/account/api-keys.`,
    'invalid_api_key'
  )
}

function unauthorized(message: string, code: string | null): ApiError {
  return new ApiError({ status: 401, message, type: 'invalid_request_error', code })
}
