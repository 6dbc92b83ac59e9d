import type { Attempt } from './attempt.ts'
import type { Mutant } from './mutant.ts'
import { plantWhileLoading } from './plant-while-loading.ts'

/** Seeds 1 and on, until one shows it. */
const mostSeeds = 250

/**
 * To be called once in a process, before anything of the product is loaded.
 * @param without - seeds that are left out.
 */
export async function trySimulation(mutant: Mutant, without: ReadonlySet<number>): Promise<Attempt> {
  const missing = plantWhileLoading(mutant)
  const { runSeed } = await import('../../test/simulation/run-seed.ts')
  if (missing.size > 0) return { kind: 'broken', message: `no simulation loads ${[...missing].join(', ')}` }
  for (let seed = 1; seed <= mostSeeds; seed += 1) {
    const outcome = without.has(seed) ? undefined : await runSeed(seed)
    if (outcome?.ok !== false) continue
    return { kind: 'caught', invariant: outcome.invariant, message: outcome.message, runs: seed }
  }
  return { kind: 'survived', runs: mostSeeds - without.size }
}

/** Seeds at which the product as it is fails: they would show nothing of a mutant. */
export async function findBadSeeds(): Promise<readonly number[]> {
  const { runSeed } = await import('../../test/simulation/run-seed.ts')
  const bad: number[] = []
  for (let seed = 1; seed <= mostSeeds; seed += 1) {
    const { ok } = await runSeed(seed)
    if (!ok) bad.push(seed)
  }
  return bad
}
