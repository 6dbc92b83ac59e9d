// The controller's REST API as somebody else's program would use it.
import { z } from 'zod'
import { type SwitchReport, switchReport } from '../services/controller/src/switching/switch-report.ts'

/** What the controller answered: a report, or the code of its refusal. */
export type SwitchAnswer =
  | { readonly kind: 'report'; readonly report: SwitchReport }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly detail: string }

const problem = z.object({ code: z.string().default(''), detail: z.string().default('') })

export class SwitchApi {
  readonly #url: string
  readonly #token: string

  constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  async switch(wish: Readonly<Record<string, unknown>>): Promise<SwitchAnswer> {
    return await this.#call('POST', '/v1/switches', wish)
  }

  async abort(): Promise<SwitchAnswer> {
    return await this.#call('DELETE', '/v1/switches/current', {
      actor: 'bench',
      reason: 'aborted by the benchmark'
    })
  }

  async #call(method: string, path: string, body: object): Promise<SwitchAnswer> {
    const reply = await fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    const answer: unknown = JSON.parse(await reply.text())
    if (reply.ok) return { kind: 'report', report: switchReport.parse(answer) }
    return { kind: 'refused', status: reply.status, ...problem.parse(answer) }
  }
}
