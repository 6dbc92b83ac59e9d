// Runs seeds, one after the other, as they are asked for.
import { parentPort } from 'node:worker_threads'
import { runSeed } from '../../test/simulation/run-seed.ts'

const port = parentPort
if (port === null) throw new Error('this is the worker of tools/simulate/main.ts')

/** Of a run, without its story: that can be had again. */
export type SeedResult =
  | {
      readonly seed: number
      readonly ok: true
      readonly stats: Extract<Awaited<ReturnType<typeof runSeed>>, { ok: true }>['stats']
    }
  | { readonly seed: number; readonly ok: false; readonly invariant: string; readonly message: string }

port.on('message', (seed: number) => {
  void run(seed).then(result => port.postMessage(result))
})

async function run(seed: number): Promise<SeedResult> {
  try {
    const outcome = await runSeed(seed)
    if (outcome.ok) return { seed, ok: true, stats: outcome.stats }
    const { invariant, message } = outcome
    return { seed, ok: false, invariant, message }
  } catch (error) {
    return {
      seed,
      ok: false,
      invariant: 'Harness',
      message: error instanceof Error ? (error.stack ?? '') : String(error)
    }
  }
}
