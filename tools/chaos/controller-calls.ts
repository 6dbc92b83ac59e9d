// What healing asks of a controller, as an operator would.

import { setTimeout as sleep } from 'node:timers/promises'

interface Differences {
  readonly count: number
  readonly examples: readonly { readonly docId: string; readonly detail: string }[]
}

/** What `POST /v1/verify` says, as far as it matters here. */
export interface Verified {
  readonly consistent: boolean
  readonly differences: Readonly<Record<string, Differences>>
  readonly repair: { readonly requeued: number; readonly removed: number; readonly corrected: number } | null
}

const verifyLimitMs = 120_000
const sweepLimitMs = 120_000

/** @param repair - mend what is found. */
export async function verify(url: string, repair: boolean, signal: AbortSignal): Promise<Verified> {
  const reply = await fetch(`${url}/v1/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ repair }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(verifyLimitMs)])
  })
  const text = await reply.text()
  if (!reply.ok) throw new Error(`verify: ${reply.status} ${text}`)
  return JSON.parse(text)
}

/**
 * Waits until the sweeper has walked through the whole index once more: what a writer left that was taken for dead is gone then.
 */
export async function untilSwept(url: string, signal: AbortSignal): Promise<void> {
  const walks = async (): Promise<number> => {
    const reply = await fetch(`${url}/v1/status`, { signal })
    const { sweeper }: { readonly sweeper: { readonly walks: number } } = JSON.parse(await reply.text())
    return sweeper.walks
  }
  const before = await walks()
  const deadlineMs = performance.now() + sweepLimitMs
  // The walk that goes on now may have passed the place already.
  while ((await walks()) < before + 2) {
    if (performance.now() > deadlineMs)
      throw new Error(`the sweeper did not come round in ${sweepLimitMs} ms`)
    await sleep(250, undefined, { signal })
  }
}
