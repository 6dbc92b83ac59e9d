// local-openai as a process that nobody kills: it is the witness of what was paid for. Its faults are drawn like all others.

import { openChild } from '../../bench/support/child-process.ts'

/** As `PUT /_local/faults` takes it. */
export type FaultRule = Readonly<Record<string, unknown>> & { readonly kind: string }

export interface Bill {
  readonly realtime: { readonly inputs: number; readonly tokens: number }
  readonly batch: { readonly jobs: number; readonly inputs: number; readonly tokens: number }
}

export interface Payment {
  /** First 32 hex digits of the text's SHA-256. */
  readonly textHash: string
  readonly count: number
}

export interface ProviderJob {
  readonly id: string
  readonly status: string
  readonly faults: readonly { readonly kind: string; readonly struck: number }[]
}

/** Texts with this word are refused for ever, whatever lane they take. */
export const poisonWord = 'poisonous'
const always: readonly FaultRule[] = [
  { kind: 'poisoned_input', containing: poisonWord },
  { kind: 'line_error', status: 400, containing: poisonWord }
]

export class ChaosProvider implements AsyncDisposable {
  readonly url: string
  readonly adminUrl: string
  readonly #end: () => Promise<void>
  readonly #seed: number
  /** Rules that are on now, by the fault that put them there. */
  readonly #active = new Map<string, readonly FaultRule[]>()
  readonly #played = new Map<string, number>()
  /** Rules are replaced one after the other. */
  #turn: Promise<void> = Promise.resolve()

  private constructor(
    ready: { readonly url: string; readonly adminUrl: string },
    seed: number,
    end: () => Promise<void>
  ) {
    this.url = ready.url
    this.adminUrl = ready.adminUrl
    this.#seed = seed
    this.#end = end
  }

  static async open(args: readonly string[], seed: number): Promise<ChaosProvider> {
    const program = new URL('../../packages/local-openai/src/main.ts', import.meta.url)
    const child = await openChild({ program, args: ['--vectors', 'fast', '--json', ...args] })
    return await ChaosProvider.at(JSON.parse(await child.line()), seed, () => child.end())
  }

  /** A server that runs already. */
  static async at(
    ready: { readonly url: string; readonly adminUrl: string },
    seed: number,
    end: () => Promise<void>
  ): Promise<ChaosProvider> {
    const provider = new ChaosProvider(ready, seed, end)
    await provider.put('/faults', { seed, rules: always })
    return provider
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  /** @param name - of the fault, which takes them away again with `calm`. */
  async strike(name: string, rules: readonly FaultRule[]): Promise<void> {
    this.#active.set(name, rules)
    await this.#renew()
  }

  async calm(name: string): Promise<void> {
    if (this.#active.delete(name)) await this.#renew()
  }

  async calmAll(): Promise<void> {
    this.#active.clear()
    await this.#renew()
  }

  /** How often a kind of fault was played on requests. */
  async played(kind: string): Promise<number> {
    await this.#renew()
    return this.#played.get(kind) ?? 0
  }

  async get<Answer>(route: string): Promise<Answer> {
    const reply = await fetch(this.adminUrl + route, { signal: AbortSignal.timeout(60_000) })
    const text = await reply.text()
    if (!reply.ok) throw new Error(`provider, ${route}: ${reply.status} ${text}`)
    return JSON.parse(text)
  }

  async put(route: string, body: object): Promise<void> {
    const reply = await fetch(this.adminUrl + route, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(60_000)
    })
    const text = await reply.text()
    if (!reply.ok) throw new Error(`provider, ${route}: ${reply.status} ${text}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
  }

  /** Counts of rules begin anew with them: they are added up before. */
  #renew(): Promise<void> {
    this.#turn = this.#turn.catch(() => undefined).then(() => this.#replace())
    return this.#turn
  }

  async #replace(): Promise<void> {
    const { rules: before } = await this.get<{
      readonly rules: readonly { readonly kind: string; readonly route: string; readonly played: number }[]
    }>('/faults')
    await this.put('/faults', { seed: this.#seed, rules: [...always, ...[...this.#active.values()].flat()] })
    for (const { kind, played, route } of before)
      if (route !== 'lines') this.#played.set(kind, (this.#played.get(kind) ?? 0) + played)
  }
}
