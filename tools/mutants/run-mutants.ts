// Tries every mutant, each in processes of its own, two at a time: against the property tests and the simulation,
// until one of them catches it. First the product as it is: a check that fails there would show nothing.
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { Attempt } from './attempt.ts'
import type { Mutant } from './mutant.ts'

const checks = ['properties', 'simulation'] as const
type Check = (typeof checks)[number]

export interface Tried {
  readonly mutant: Mutant
  /** Which check ended it, and how. */
  readonly check: Check
  readonly attempt: Attempt
  readonly seconds: number
}

/** Of one process; the simulation's own limits are reached long before. */
const deadlineMs = 180_000

/** Stands for the product as it is, instead of a mutant. */
export const product = 'product'

export interface Outcome {
  readonly tried: readonly Tried[]
  /** Seeds at which the product as it is fails. */
  readonly badSeeds: readonly number[]
}

/** @throws when a property does not hold of the product as it is. */
export async function runMutants(
  mutants: readonly Mutant[],
  tell: (line: string) => void,
  signal: AbortSignal
): Promise<Outcome> {
  const [properties, badSeeds] = await Promise.all([
    inProcess<Attempt>(['--try', 'properties', '--only', product], signal),
    inProcess<readonly number[]>(['--try', 'simulation', '--only', product], signal)
  ])
  if (properties.kind !== 'survived') {
    const why = properties.kind === 'caught' ? `${properties.invariant}: ` : ''
    throw new Error(`properties do not hold of the product as it is: ${why}${properties.message}`)
  }
  if (badSeeds.length > 0)
    tell(`left out, since the product itself fails there: seeds ${badSeeds.join(', ')}`)
  const without = badSeeds.flatMap(seed => ['--without', String(seed)])

  const tried = await together(mutants, async mutant => {
    const beganMs = performance.now()
    const inOrder = isOfLedger(mutant) ? checks : checks.toReversed()
    for (const check of inOrder) {
      const asked = ['--try', check, '--only', mutant.name, ...without]
      const attempt = await inProcess<Attempt>(asked, signal).catch(brokenBy)
      if (attempt.kind === 'survived' && check !== inOrder.at(-1)) continue
      const seconds = (performance.now() - beganMs) / 1000
      tell(`${mutant.name}: ${attempt.kind} (${check}, ${seconds.toFixed(1)} s)`)
      return { mutant, check, attempt, seconds }
    }
    throw new Error('there is no check')
  })
  return { tried, badSeeds }
}

/** The properties of the ledger take less time than a few seeds; those of whole lanes take more. */
function isOfLedger({ edits }: Mutant): boolean {
  return edits.every(({ file }) => file.includes('/adapters/memory/'))
}

function brokenBy(error: unknown): Attempt {
  return { kind: 'broken', message: error instanceof Error ? error.message : String(error) }
}

/** In a process of its own: what is planted there is gone with it. @returns what it sends. */
async function inProcess<Answer>(asked: readonly string[], signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted()
  const child = fork(new URL('main.ts', import.meta.url), asked, {
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
    child.on('message', answer => resolve(answer as Answer))
    child.on('error', reject)
    child.on('close', (code, killedBy) => reject(new Error(`ended with ${killedBy ?? code}: ${said.trim()}`)))
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
