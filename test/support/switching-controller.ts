// A controller as a process, as one who switches sees it: by its API.
import { expect, vi } from 'vitest'
import type { z } from 'zod'
import { problem } from '../../services/controller/src/api/problem.ts'
import {
  type SwitchReport,
  switchHistory,
  type SwitchHistory,
  switchReport,
  type switchWish
} from '../../services/controller/src/switching/switch-report.ts'
import { type ControllerProcess, startController } from './controller-process.ts'

/** Longer than the controller itself waits for a part that is away. */
const answerMs = 40_000

/** A refusal, as the API tells it. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(`${status} ${code}: ${message}`)
    this.status = status
    this.code = code
  }
}

export type Wish = z.input<typeof switchWish>

export class SwitchingController implements AsyncDisposable {
  readonly process: ControllerProcess
  readonly #url: string

  private constructor(process: ControllerProcess, url: string) {
    this.process = process
    this.#url = url
  }

  /** Resolves when it is ready. */
  static async start(env: Readonly<Record<string, string>>): Promise<SwitchingController> {
    const process = startController(env)
    const url = await process.url
    await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status, process.said()).toBe(200), {
      timeout: 20_000,
      interval: 20
    })
    return new SwitchingController(process, url)
  }

  switch(wish: Wish): Promise<SwitchReport> {
    return this.ask('POST', '/v1/switches', switchReport, wish)
  }

  rollback(): Promise<SwitchReport> {
    return this.ask('POST', '/v1/switches/rollback', switchReport, {})
  }

  abort(): Promise<SwitchReport> {
    return this.ask('DELETE', '/v1/switches/current', switchReport, {})
  }

  find(switchId: string): Promise<SwitchReport> {
    return this.ask('GET', `/v1/switches/${switchId}`, switchReport)
  }

  history(): Promise<SwitchHistory> {
    return this.ask('GET', '/v1/switches?limit=1000', switchHistory)
  }

  /** @throws {Refused} by a problem that it told; whatever fetch throws when the connection broke. */
  async ask<Schema extends z.ZodType>(
    method: 'DELETE' | 'GET' | 'POST',
    path: string,
    schema: Schema,
    body?: object
  ): Promise<z.output<Schema>> {
    const content = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    const signal = AbortSignal.timeout(answerMs)
    const response = await fetch(`${this.#url}${path}`, { method, signal, ...content })
    const told: unknown = await response.json()
    if (response.ok) return schema.parse(told)
    const { code, detail, status } = problem.parse(told)
    // The reason of an internal error stands in its log alone.
    throw new Refused(status, code, status === 500 ? this.process.said() : (detail ?? ''))
  }

  async kill(): Promise<void> {
    this.process.signal('SIGKILL')
    await this.process.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
