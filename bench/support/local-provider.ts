// The embeddings provider of the measurements: local-openai as a process of its own.
import { type Child, openChild } from './child-process.ts'

export interface LocalProvider extends AsyncDisposable {
  readonly pid: number
  /** What a client takes as its base URL. */
  readonly url: string
  /** Of what it has beside the API, e.g. the bill. */
  readonly adminUrl: string
  /** Tokens billed so far in requests, in jobs, and those of all texts in them, each counted once. */
  bill(): Promise<Billed>
  /** Moves the clock by which jobs live, and waits until everything has happened that was due. */
  advanceJobs(seconds: number): Promise<void>
}

export interface Billed {
  readonly realtime: number
  readonly batch: number
  readonly distinct: number
}

export async function openLocalProvider(latencyMs: number, args: readonly string[]): Promise<LocalProvider> {
  const child: Child = await openChild({
    program: new URL('../../packages/local-openai/src/main.ts', import.meta.url),
    args: ['--vectors', 'fast', '--latency', String(latencyMs), '--json', ...args]
  })
  const ready: { readonly url: string; readonly adminUrl: string } = JSON.parse(await child.line())
  return {
    pid: child.pid,
    url: ready.url,
    adminUrl: ready.adminUrl,
    async bill() {
      const reply = await fetch(`${ready.adminUrl}/bill`)
      const { batch, distinctTokens, realtime }: BillAnswer = JSON.parse(await reply.text())
      return { realtime: realtime.tokens, batch: batch.tokens, distinct: distinctTokens }
    },
    async advanceJobs(seconds) {
      const reply = await fetch(`${ready.adminUrl}/clock`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ advanceSeconds: seconds })
      })
      if (!reply.ok) throw new Error(`the clock: ${reply.status} ${await reply.text()}`)
    },
    [Symbol.asyncDispose]: () => child.end()
  }
}

interface BillAnswer {
  readonly realtime: { readonly tokens: number }
  readonly batch: { readonly tokens: number }
  readonly distinctTokens: number
}
