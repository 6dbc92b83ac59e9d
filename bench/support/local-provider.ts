// The embeddings provider of the measurements: local-openai as a process of its own.
import { type Child, openChild } from './child-process.ts'

export interface LocalProvider extends AsyncDisposable {
  readonly pid: number
  /** What a client takes as its base URL. */
  readonly url: string
  /** Tokens billed so far. */
  billedTokens(): Promise<number>
}

export async function openLocalProvider(latencyMs: number): Promise<LocalProvider> {
  const child: Child = await openChild({
    program: new URL('../../packages/local-openai/src/main.ts', import.meta.url),
    args: ['--vectors', 'fast', '--latency', String(latencyMs), '--json']
  })
  const ready: { readonly url: string; readonly adminUrl: string } = JSON.parse(await child.line())
  return {
    pid: child.pid,
    url: ready.url,
    async billedTokens() {
      const reply = await fetch(`${ready.adminUrl}/bill`)
      const bill: { readonly realtime: { readonly tokens: number } } = JSON.parse(await reply.text())
      return bill.realtime.tokens
    },
    [Symbol.asyncDispose]: () => child.end()
  }
}
