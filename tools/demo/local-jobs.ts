import { z } from 'zod'
import type { RunFile } from '../../services/controller/src/cli/run-file.ts'

const turnaround = z.looseObject({ kind: z.string() })

/** A quarter of an hour, which the clock of the local provider makes 15 s: time to be seen in flight. */
const unhurried = { kind: 'fixed', seconds: 900 }

/** From now on jobs of the local provider take their time; those created once it is restored are as quick as before. */
export async function slowJobs(
  { openai }: Pick<RunFile, 'openai'>,
  signal: AbortSignal
): Promise<{ readonly restore: () => Promise<void> }> {
  const url = new URL('/_local/turnaround', openai)
  const usual = turnaround.parse(await (await fetch(url, { signal })).json())
  const set = async (wanted: object): Promise<void> => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(wanted), signal })
    if (!response.ok) throw new Error(`the local provider refused its pace: ${await response.text()}`)
  }
  await set(unhurried)
  return { restore: () => set(usual) }
}
