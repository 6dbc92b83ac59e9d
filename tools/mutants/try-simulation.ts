import type { Attempt } from './attempt.ts'
import type { Mutant } from './mutant.ts'
import { plantWhileLoading } from './plant-while-loading.ts'

/** Seeds 1 and on, until one shows it. */
const mostSeeds = 250

/** @param mutant - undefined: the product as it is. To be called once in a process, before anything of the product is loaded. */
export async function trySimulation(mutant: Mutant | undefined): Promise<Attempt> {
  const missing = mutant === undefined ? new Set() : plantWhileLoading(mutant)
  const { runSeed } = await import('../../test/simulation/run-seed.ts')
  if (missing.size > 0) return { kind: 'broken', message: `no simulation loads ${[...missing].join(', ')}` }
  for (let seed = 1; seed <= mostSeeds; seed += 1) {
    const outcome = await runSeed(seed)
    if (!outcome.ok) {
      const { invariant, message } = outcome
      return { kind: 'caught', invariant, message, runs: seed }
    }
  }
  return { kind: 'survived', runs: mostSeeds }
}
