// `npm run mutants [-- --only NAME]... [--json]`: exit codes 0 all caught, 1 not all, or seeds
// at which the product itself fails, 2 wrong usage.
//
// A mutant is planted in the source text while a process of this tool loads it; the product itself has no code, flag or
// variable for it.
import { parseArgs } from 'node:util'
import type { Attempt } from './attempt.ts'
import type { Mutant } from './mutant.ts'
import { mutants } from './mutants.ts'
import { renderTable } from './render-table.ts'
import { product, runMutants } from './run-mutants.ts'
import { tryProperties } from './try-properties.ts'
import { findBadSeeds, trySimulation } from './try-simulation.ts'

const usage = 'usage: npm run mutants [-- --only NAME]... [--json]\n'

async function main(): Promise<number> {
  const { only = [], json, try: check, without = [] } = argumentsOf()
  const isKnown = (name: string): boolean => name === product || mutants.some(mutant => mutant.name === name)
  const unknown = only.filter(name => !isKnown(name))
  if (unknown.length > 0) return wrong(`no mutant is called ${unknown.join(', ')}`)
  const chosen = mutants.filter(({ name }) => only.length === 0 || only.includes(name))
  if (check !== undefined) {
    process.send?.(await answerOf(check, chosen[0], new Set(without.map(Number))))
    return 0
  }

  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
  const { badSeeds, tried } = await runMutants(chosen, line => process.stderr.write(`${line}\n`), stop.signal)
  if (json) {
    const rows = tried.map(({ attempt, check: by, mutant, seconds }) => {
      return { name: mutant.name, rule: mutant.rule, check: by, ...attempt, seconds }
    })
    process.stdout.write(`${JSON.stringify({ mutants: rows, badSeeds })}\n`)
  } else process.stdout.write(`\n${renderTable(tried)}`)
  return badSeeds.length === 0 && tried.every(({ attempt }) => attempt.kind === 'caught') ? 0 : 1
}

/** @param mutant - undefined: the product as it is. */
function answerOf(
  check: string,
  mutant: Mutant | undefined,
  without: ReadonlySet<number>
): Promise<Attempt | readonly number[]> {
  if (check === 'properties') return tryProperties(mutant)
  return mutant === undefined ? findBadSeeds() : trySimulation(mutant, without)
}

function argumentsOf() {
  return parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      json: { type: 'boolean' },
      // What this tool calls itself with: one check of one mutant.
      try: { type: 'string' },
      without: { type: 'string', multiple: true }
    }
  }).values
}

function wrong(why: string): number {
  process.stderr.write(`${why}\n${usage}`)
  return 2
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
