// Tries every mutant, each in processes of its own, two at a time: against the property tests and the simulation,
// until one of them catches it. First the product as it is: a check that fails there would show nothing.
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { Attempt } from './attempt.ts'
import type { Mutant } from './mutant.ts'

export const checks = ['properties', 'simulation'] as const
export type Check = (typeof checks)[number]

export interface Tried {
  readonly mutant: Mutant
  /** Which check ended it, and how. */
  readonly check: Check
  readonly attempt: Attempt
  readonly seconds: number
}

/** Of one process; the simulation's own limits are reached long before. */
const deadlineMs = 180_000

/** What a process is asked; `product` is the product as it is. */
export const product = 'product'

/** @throws when a check fails on the product as it is. */
export async function runMutants(
  mutants: readonly Mutant[],
  tell: (line: string) => void,
  signal: AbortSignal
): Promise<readonly Tried[]> {
  await together(checks, async check => {
    const attempt = await tryOne(product, check, signal)
    if (attempt.kind === 'survived') return tell(`${product}: ${attempt.runs} ${check} pass`)
    const why = attempt.kind === 'caught' ? `${attempt.invariant}: ${attempt.message}` : attempt.message
    throw new Error(`${check} do not hold of the product as it is: ${why}`)
  })
  return together(mutants, async mutant => {
    const beganMs = performance.now()
    const inOrder = isOfLedger(mutant) ? checks : checks.toReversed()
    for (const check of inOrder) {
      const attempt = await tryOne(mutant.name, check, signal)
      if (attempt.kind === 'survived' && check !== inOrder.at(-1)) continue
      const seconds = (performance.now() - beganMs) / 1000
      tell(`${mutant.name}: ${attempt.kind} (${check}, ${seconds.toFixed(1)} s)`)
      return { mutant, check, attempt, seconds }
    }
    throw new Error('there is no check')
  })
}

/** The properties of the ledger take less time than a few seeds; those of whole lanes take more. */
function isOfLedger({ edits }: Mutant): boolean {
  return edits.every(({ file }) => file.includes('/adapters/memory/'))
}

/** In a process of its own: what is planted there is gone with it. */
async function tryOne(name: string, check: Check, signal: AbortSignal): Promise<Attempt> {
  signal.throwIfAborted()
  const child = fork(new URL('main.ts', import.meta.url), ['--try', check, '--only', name], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    signal,
    timeout: deadlineMs,
    killSignal: 'SIGKILL'
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000)
  })
  return new Promise((resolve, reject) => {
    let attempt: Attempt | undefined
    child.on('message', message => {
      attempt = message as Attempt
    })
    child.on('error', reject)
    child.on('close', (code, killedBy) => {
      resolve(attempt ?? { kind: 'broken', message: `ended with ${killedBy ?? code}: ${said.trim()}` })
    })
  })
}

/** As many at once as there are processors. @returns in the order of the items. */
async function together<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result>
): Promise<Result[]> {
  const results: Result[] = []
  const queue = items.entries()
  const work = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await act(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return results
}
