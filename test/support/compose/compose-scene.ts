// The running project as the story sees it: what waits, what is in the index, what was paid.

import { namesOf } from '@pointsman/core/runtime/names'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { dumpWeaviate } from '../../../bench/support/weaviate-dump.ts'
import { ComposeProject, type Ours } from './compose-project.ts'
import { DocumentFolder } from './document-folder.ts'

const lag = z.object({
  inputsAtRisk: z.number(),
  totals: z.object({
    unread: z.number(),
    outstanding: z.number(),
    expired: z.number(),
    stages: z.object({ inJobs: z.number() })
  })
})
export type Lag = z.output<typeof lag>

const status = z.object({
  ready: z.boolean(),
  ledger: z.object({ mode: z.string(), partitions: z.record(z.string(), z.number()) }).nullable(),
  instances: z.array(z.object({ instance: z.string(), alive: z.boolean() })),
  jobs: z.looseObject({}).nullable(),
  deadLetters: z.number().nullable()
})
export type Status = z.output<typeof status>

const payments = z.object({ payments: z.array(z.object({ textHash: z.string(), count: z.number() })) })
const verified = z.looseObject({ consistent: z.boolean() })

export interface Stopped {
  readonly service: Ours
  readonly tookMs: number
  readonly exitCode: string
}

const lookEveryMs = 500
const patienceMs = 240_000

export class ComposeScene implements AsyncDisposable {
  readonly project: ComposeProject
  readonly folder: DocumentFolder
  readonly #collection = namesOf('pointsman').collection

  private constructor(project: ComposeProject) {
    this.project = project
    this.folder = new DocumentFolder(project.folder)
  }

  static async open(): Promise<ComposeScene> {
    return new ComposeScene(await ComposeProject.open())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.project[Symbol.asyncDispose]()
  }

  async lag(): Promise<Lag> {
    return lag.parse((await this.project.rest('/v1/lag')).answer)
  }

  async status(): Promise<Status> {
    return status.parse((await this.project.rest('/v1/status')).answer)
  }

  /** Whatever an instance is called after. */
  async hostnameOf(container: string): Promise<string> {
    return this.project.inspect(container, '{{.Config.Hostname}}')
  }

  /** The text of every object, as often as it is there. */
  async indexed(): Promise<readonly string[]> {
    const texts: string[] = []
    const signal = AbortSignal.timeout(30_000)
    for await (const page of dumpWeaviate(this.project.weaviateUrl, this.#collection, signal))
      texts.push(...page.map(({ properties }) => String(properties['text'])))
    return texts
  }

  /** Until the index holds what the folder holds, an object for each, and nobody has anything left to do. */
  async settled(): Promise<void> {
    await until('the index holds what the folder holds', async () => {
      const { totals } = await this.lag()
      if (totals.unread + totals.outstanding > 0) return `lag ${JSON.stringify(totals)}`
      const wanted = this.folder.texts
      const found = await this.indexed()
      const strange = found.filter(text => !wanted.has(text))
      const missing = [...wanted].filter(text => !found.includes(text))
      if (found.length === wanted.size && strange.length + missing.length === 0) return undefined
      return `${found.length} objects for ${wanted.size} documents; ${strange.length} strange: ${strange[0]}; ${missing.length} missing: ${missing[0]}`
    })
  }

  async untilInFlight(): Promise<void> {
    await until('requests are in flight', async () => {
      const { inputsAtRisk, totals } = await this.lag()
      return inputsAtRisk > 0 ? undefined : JSON.stringify(totals)
    })
  }

  async untilInJobs(): Promise<void> {
    await until('documents are in jobs', async () => {
      const { totals } = await this.lag()
      return totals.stages.inJobs > 0 ? undefined : JSON.stringify(totals)
    })
  }

  async untilReady(isReady: boolean): Promise<void> {
    await until(isReady ? 'the controller is ready' : 'the controller misses something', async () => {
      const { answer, status: code } = await this.project.rest('/readyz')
      return (code === 200) === isReady ? undefined : `${code} ${JSON.stringify(answer)}`
    })
  }

  /** Its only container dies, and is healthy again. */
  async crash(service: Ours): Promise<void> {
    const container = await this.project.containerOf(service)
    const restarts = await this.restartsOf(container)
    await this.project.crash(container)
    await this.untilHealthy(container, restarts + 1)
  }

  async stop(service: Ours): Promise<Stopped> {
    const container = await this.project.containerOf(service)
    const began = performance.now()
    await this.project.compose('stop', service)
    const tookMs = performance.now() - began
    return { service, tookMs, exitCode: await this.project.inspect(container, '{{.State.ExitCode}}') }
  }

  /** How often the engine has started it again. */
  async restartsOf(container: string): Promise<number> {
    return Number(await this.project.inspect(container, '{{.RestartCount}}'))
  }

  /** @param restarts - how often the engine has to have started it again. */
  async untilHealthy(container: string, restarts: number): Promise<void> {
    await until('the container is healthy again', async () => {
      const told = await this.project.inspect(
        container,
        '{{.RestartCount}} {{.State.Status}} {{.State.Health.Status}}'
      )
      return told === `${restarts} running healthy` ? undefined : told
    })
  }

  /** Each answer of the provider takes at least so long, so that there is time to strike. */
  async slowDown(ms: number): Promise<void> {
    await this.project.provider('/latency', { kind: 'fixed', ms })
  }

  /** Inputs that were paid for more than once. Each text was needed once. */
  async paidTwice(): Promise<number> {
    const answer = payments.parse(await this.project.provider('/payments?minCount=2&limit=1000000'))
    return answer.payments.reduce((sum, { count }) => sum + count - 1, 0)
  }

  async paid(): Promise<number> {
    const answer = payments.parse(await this.project.provider('/payments?minCount=1&limit=1000000'))
    return answer.payments.reduce((sum, { count }) => sum + count, 0)
  }

  /** What the product itself finds. */
  async verify(): Promise<z.output<typeof verified>> {
    return verified.parse(await this.project.pointsman('verify', '--all'))
  }
}

/**
 * @param look - says what is not right yet, or nothing when it is. What it throws is not right yet either: parts are away
 *   now and then.
 */
export async function until(
  what: string,
  look: () => Promise<string | undefined>,
  limitMs = patienceMs
): Promise<void> {
  const deadlineMs = performance.now() + limitMs
  for (;;) {
    const wrong = await look().catch((error: unknown) => String(error))
    if (wrong === undefined) return
    if (performance.now() > deadlineMs) throw new Error(`waited ${limitMs / 1000} s until ${what}: ${wrong}`)
    await sleep(lookEveryMs)
  }
}
