import { OpenAI } from 'openai'
import { withDeadline } from '../../runtime/deadline.ts'
import type { ProviderSettings } from '../../runtime/settings.ts'
import { fetchOrUnreachable } from './classify.ts'

export interface AskOptions {
  readonly signal: AbortSignal
  readonly timeout: number
}

/** Retries nothing: what a call may have cost is for the caller to know. Opens no connection before the first call. */
export function openClient(settings: ProviderSettings): OpenAI {
  return new OpenAI({
    apiKey: settings.OPENAI_API_KEY,
    baseURL: settings.OPENAI_BASE_URL,
    maxRetries: 0,
    fetch: fetchOrUnreachable,
    // Not OPENAI_LOG's: at debug the SDK prints request bodies.
    logLevel: 'off'
  })
}

/** The SDK's own deadline ends with the headers; a body may stall for ever. */
export async function askWithin<Answer>(
  deadlineMs: number,
  signal: AbortSignal,
  ask: (options: AskOptions) => Promise<Answer>
): Promise<Answer> {
  return await withDeadline(deadlineMs, signal, inner => ask({ signal: inner, timeout: 2 * deadlineMs }))
}

/** Models before text-embedding-3 refuse the parameter `dimensions`. */
export function takesDimensions(model: string): boolean {
  return model !== 'text-embedding-ada-002'
}
