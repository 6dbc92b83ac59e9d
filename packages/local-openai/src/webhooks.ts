// Tells a client's server that a job has ended, signed as OpenAI signs it (the scheme of standardwebhooks.com).
//
// Nothing of it is kept over a restart, so news may get lost; a receiver that answers late gets it twice. Both
// happen with OpenAI, too: polling is the truth.

import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { isTerminal } from './batches/batch-record.ts'
import type { BatchRecord } from './batches/batch-record.ts'
import type { Clock } from './clock.ts'
import type { FaultRule } from './fault-rules.ts'
import { toSeconds } from './files/file-record.ts'
import { newHex } from './ids.ts'

const secretPrefix = 'whsec_'
const attempts = 6
const firstPauseMs = 500
const answerWithinMs = 10_000

/** Where to send the news; nowhere when `url` is null. */
export const webhookTargetSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).nullable(),
  secret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]+={0,2}$/, 'must be whsec_ and base64')
    .default(`${secretPrefix}bG9jYWwtb3BlbmFpLXdlYmhvb2tz`)
})

export type WebhookTarget = Readonly<z.output<typeof webhookTargetSchema>>

export interface WebhookDeps {
  readonly clock: Clock
  readonly drawFault: () => FaultRule | undefined
  /** Ends all attempts. */
  readonly stopped: AbortSignal
}

interface News {
  readonly id: string
  readonly body: string
  readonly isBadlySigned: boolean
}

export class Webhooks implements AsyncDisposable {
  target: WebhookTarget
  readonly #deps: WebhookDeps
  /** What is held back until the next one has been sent. */
  #late: News[] = []
  readonly #sending = new Set<Promise<void>>()

  constructor(target: WebhookTarget, deps: WebhookDeps) {
    this.target = target
    this.#deps = deps
  }

  /** Returns at once; the sending goes on by itself. */
  tell(batch: BatchRecord): void {
    if (this.target.url === null || !isTerminal(batch)) return
    const fault = this.#deps.drawFault()
    const news: News = {
      id: `wh_${newHex()}`,
      body: JSON.stringify({
        id: `evt_${newHex()}`,
        object: 'event',
        type: `batch.${batch.status}`,
        created_at: toSeconds(endOf(batch)),
        data: { id: batch.id }
      }),
      isBadlySigned: fault?.kind === 'webhook_badly_signed'
    }
    if (fault?.kind === 'webhook_lost') return
    if (fault?.kind === 'webhook_late') {
      this.#late.push(news)
      return
    }
    const all = [news, ...(fault?.kind === 'webhook_doubled' ? [news] : []), ...this.#late]
    this.#late = []
    const sending = this.#sendAll(all).finally(() => this.#sending.delete(sending))
    this.#sending.add(sending)
  }

  /** When the server has stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sending)
  }

  async #sendAll(all: readonly News[]): Promise<void> {
    for (const news of all) await this.#send(news)
  }

  /** Until it is taken; given up after some attempts, as it is when the server stops. */
  async #send(news: News): Promise<void> {
    const { clock, stopped } = this.#deps
    try {
      for (let attempt = 0; attempt < attempts; attempt++) {
        if (attempt > 0) await clock.wait(firstPauseMs * 2 ** (attempt - 1), stopped)
        if (await this.#isTaken(news)) return
      }
    } catch (error) {
      if (!stopped.aborted) throw error
    }
  }

  async #isTaken({ body, id, isBadlySigned }: News): Promise<boolean> {
    const { stopped } = this.#deps
    const { secret, url } = this.target
    if (url === null) return true
    const timestamp = String(toSeconds(Date.now()))
    const key = Buffer.from(isBadlySigned ? newHex() : secret.slice(secretPrefix.length), 'base64')
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'local-openai',
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          'webhook-signature': `v1,${signature}`
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([stopped, AbortSignal.timeout(answerWithinMs)])
      })
      await answer.body?.cancel()
      return answer.ok
    } catch {
      stopped.throwIfAborted()
      return false
    }
  }
}

function endOf({ cancelledMs, completedMs, expiredMs, failedMs }: BatchRecord): number {
  return completedMs ?? failedMs ?? expiredMs ?? cancelledMs ?? 0
}
