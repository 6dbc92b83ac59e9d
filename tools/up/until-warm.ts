import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { standby } from '../../services/controller/src/switching/switch-report.ts'
import { UpError } from './up-error.ts'

const lanes = z.object({ standby, otherLane: standby })
const lookEveryMs = 200
const answerMs = 10_000

export interface WarmDeps {
  /** Base URL. */
  readonly controller: string
  readonly token: string
  readonly limitMs: number
}

/**
 * Both lanes could take over at once: their embedders live, and have joined their groups.
 * @throws {UpError} with what is missing, when they could not within the limit.
 */
export async function untilWarm(
  { controller, token, limitMs }: WarmDeps,
  signal: AbortSignal
): Promise<void> {
  const deadlineMs = performance.now() + limitMs
  let missing = 'no answer yet'
  while (performance.now() < deadlineMs) {
    try {
      missing = await missingOf(controller, token, AbortSignal.any([signal, AbortSignal.timeout(answerMs)]))
      if (missing === '') return
    } catch (error) {
      missing = error instanceof Error ? error.message : String(error)
    }
    await delay(lookEveryMs, undefined, { signal })
  }
  throw new UpError(`the lanes did not become ready to be switched: ${missing}`)
}

/** @returns why they could not; empty when they could. */
async function missingOf(controller: string, token: string, signal: AbortSignal): Promise<string> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${controller}/v1/analysis/batch`, { headers, signal })
  const told: unknown = await response.json()
  const found = lanes.safeParse(told)
  if (!found.success) return `the controller answered ${JSON.stringify(told)}`
  return [found.data.standby, found.data.otherLane].flatMap(({ reasons }) => reasons).join('; ')
}
