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
    return parse(await this.#ask(`${path}${search}`, { method: 'GET' }, signal), schema)
  }

  async post<Schema extends z.ZodType>(
    path: string,
    body: object,
    schema: Schema,
    signal: AbortSignal
  ): Promise<z.output<Schema>> {
    return parse(await this.#ask(path, this.#json(body), signal), schema)
  }

  /** Lines of an answer that takes its time. */
  async *lines(path: string, body: object, signal: AbortSignal): AsyncGenerator<unknown> {
    const response = await this.#ask(path, this.#json(body, { accept: 'application/x-ndjson' }), signal)
    if (!response.body) throw unusable(response)
    let rest = ''
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + piece).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) yield JSON.parse(line)
    }
  }

  #json(body: object, headers: Readonly<Record<string, string>> = {}): RequestInit {
    return {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { ...headers, 'content-type': 'application/json' }
    }
  }

  async #ask(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const { url, token } = this.#target
    const headers = new Headers(init.headers)
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
    let response: Response
    try {
      response = await this.#fetch(`${url}${path}`, { ...init, headers, signal })
    } catch (error) {
      throw signal.aborted ? stopped(signal, url) : unreachable(url, error)
    }
    if (response.ok) return response
    throw await refused(response)
  }
}

async function parse<Schema extends z.ZodType>(
  response: Response,
  schema: Schema
): Promise<z.output<Schema>> {
  const body: unknown = await response.json().catch(() => undefined)
  const parsed = schema.safeParse(body)
  if (!parsed.success) throw unusable(response)
  return parsed.data
}

/** What a problem, wherever it was told, means to a command. */
export function problemError(told: z.output<typeof problem>): CliError {
  const detail = [told.detail ?? told.title, ...(told.problems ?? [])].join('\n  ')
  const isRefused = told.status >= 400 && told.status < 500
  return new CliError(isRefused ? exitCodes.refused : exitCodes.failed, told.code, detail, hintFor(told))
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
    hint
  )
}

function stopped(signal: AbortSignal, url: string): CliError {
  const reason: unknown = signal.reason
  if (reason instanceof DOMException && reason.name === 'TimeoutError') {
    return new CliError(exitCodes.timedOut, 'TIMED_OUT', `the controller at ${url} did not answer in time`)
  }
  return new CliError(exitCodes.failed, 'INTERRUPTED', 'interrupted')
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
