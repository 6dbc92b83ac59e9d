import type { z } from 'zod'
import { problem } from '../api/problem.ts'
import { CliError, exitCodes } from './cli-error.ts'

export interface ApiTarget {
  readonly url: string
  readonly token: string | undefined
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export type Query = Readonly<Record<string, string | number | undefined>>

/** The controller, as the command line sees it. Every method throws `CliError` that says what to do. */
export class ApiClient {
  readonly #target: ApiTarget
  readonly #fetch: Fetch

  constructor(target: ApiTarget, fetch: Fetch) {
    this.#target = target
    this.#fetch = fetch
  }

  get url(): string {
    return this.#target.url
  }

  async get<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    signal: AbortSignal,
    query: Query = {}
  ): Promise<z.output<Schema>> {
    const given = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value))
    const search = given.size > 0 ? `?${given.toString()}` : ''
    return await this.#parsed(`${path}${search}`, { method: 'GET' }, schema, signal)
  }

  async post<Schema extends z.ZodType>(
    path: string,
    body: object,
    schema: Schema,
    signal: AbortSignal
  ): Promise<z.output<Schema>> {
    return await this.#parsed(path, json('POST', body), schema, signal)
  }

  async delete<Schema extends z.ZodType>(
    path: string,
    body: object,
    schema: Schema,
    signal: AbortSignal
  ): Promise<z.output<Schema>> {
    return await this.#parsed(path, json('DELETE', body), schema, signal)
  }

  /** Lines of an answer that takes its time. */
  async *lines(path: string, body: object, signal: AbortSignal): AsyncGenerator<unknown> {
    const response = await this.#ask(path, json('POST', body, { accept: 'application/x-ndjson' }), signal)
    if (!response.body) throw unusable(response)
    let rest = ''
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + piece).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) yield JSON.parse(line)
    }
  }

  async #parsed<Schema extends z.ZodType>(
    path: string,
    init: RequestInit,
    schema: Schema,
    signal: AbortSignal
  ): Promise<z.output<Schema>> {
    const response = await this.#ask(path, init, signal)
    let body: unknown
    try {
      body = await response.json()
    } catch (error) {
      if (error instanceof SyntaxError) throw unusable(response)
      throw this.#failed(error, signal)
    }
    const parsed = schema.safeParse(body)
    if (!parsed.success) throw unusable(response)
    return parsed.data
  }

  async #ask(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const { token, url } = this.#target
    const headers = new Headers(init.headers)
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
    let response: Response
    try {
      response = await this.#fetch(`${url}${path}`, { ...init, headers, signal })
    } catch (error) {
      throw this.#failed(error, signal)
    }
    if (response.ok) return response
    throw await refused(response)
  }

  #failed(error: unknown, signal: AbortSignal): CliError {
    const { url } = this.#target
    return signal.aborted ? stopped(signal, url) : unreachable(url, error)
  }
}

function json(method: 'POST' | 'DELETE', body: object, headers: Readonly<Record<string, string>> = {}) {
  return { method, body: JSON.stringify(body), headers: { ...headers, 'content-type': 'application/json' } }
}

/** What a problem, wherever it was told, means to a command. */
export function problemError(told: z.output<typeof problem>): CliError {
  const detail = [told.detail ?? told.title, ...(told.problems ?? [])].join('\n  ')
  const isRefused = told.status >= 400 && told.status < 500
  const [exitCode, outcome] = isRefused
    ? [exitCodes.refused, 'refused' as const]
    : [exitCodes.failed, 'unknown' as const]
  return new CliError(exitCode, told.code, detail, hintFor(told), outcome)
}

async function refused(response: Response): Promise<CliError> {
  const parsed = problem.safeParse(await response.json().catch(() => undefined))
  if (parsed.success) return problemError(parsed.data)
  const message = `${new URL(response.url).host} answered ${response.status}`
  return new CliError(
    exitCodes.failed,
    'UNUSABLE_ANSWER',
    message,
    'is POINTSMAN_URL the address of a controller?'
  )
}

function hintFor({ status, code }: z.output<typeof problem>): string | undefined {
  if (status === 401) return 'set POINTSMAN_API_TOKEN to the token that the controller was started with'
  if (status === 503) return 'see `pointsman doctor` for the remedy'
  return code === 'INTERNAL' ? 'see the log of the controller' : undefined
}

function unreachable(url: string, error: unknown): CliError {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : ''
  const hint = 'start it with `pointsman up`, or set POINTSMAN_URL'
  return new CliError(
    exitCodes.failed,
    'UNREACHABLE',
    `the controller is not reachable at ${url}${cause}`,
    hint,
    neverConnected(error) ? 'refused' : 'unknown'
  )
}

/** Then nothing was sent. */
function neverConnected(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN'
}

function stopped(signal: AbortSignal, url: string): CliError {
  const reason: unknown = signal.reason
  if (reason instanceof DOMException && reason.name === 'TimeoutError') {
    const message = `the controller at ${url} did not answer in time`
    return new CliError(exitCodes.timedOut, 'TIMED_OUT', message, undefined, 'unknown')
  }
  return new CliError(exitCodes.failed, 'INTERRUPTED', 'interrupted', undefined, 'unknown')
}

function unusable(response: Response): CliError {
  const message = `${response.url} answered something that this version does not understand`
  return new CliError(
    exitCodes.failed,
    'UNUSABLE_ANSWER',
    message,
    'do the command line and the controller match?'
  )
}
