// `npm run mutants [-- --only NAME]... [--json]`: exit codes 0 all caught, 1 not all, 2 wrong usage.
//
// A mutant is planted in the source text while a process of this tool loads it; the product itself has no code, flag or
// variable for it.
import { parseArgs } from 'node:util'
import type { Attempt } from './attempt.ts'
import type { Mutant } from './mutant.ts'
import { mutants } from './mutants.ts'
import { renderTable } from './render-table.ts'
import { type Check, checks, product, runMutants } from './run-mutants.ts'
import { tryProperties } from './try-properties.ts'
import { trySimulation } from './try-simulation.ts'

const usage = 'usage: npm run mutants [-- --only NAME]... [--json]\n'

async function main(): Promise<number> {
  const { only = [], json, try: tried } = argumentsOf()
  const chosen = mutants.filter(({ name }) => only.length === 0 || only.includes(name))
  if (tried !== undefined) {
    const check = checks.find(one => one === tried)
    if (check === undefined) return wrong(`no check is called ${tried}`)
    process.send?.(await attemptOf(check, only[0] === product ? undefined : chosen[0]))
    return 0
  }
  const unknown = only.filter(name => !mutants.some(mutant => mutant.name === name))
  if (unknown.length > 0) return wrong(`no mutant is called ${unknown.join(', ')}`)

  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
  const results = await runMutants(chosen, line => process.stderr.write(`${line}\n`), stop.signal)
  if (json) {
    const rows = results.map(({ attempt, check, mutant, seconds }) => {
      return { name: mutant.name, rule: mutant.rule, check, ...attempt, seconds }
    })
    process.stdout.write(`${JSON.stringify({ mutants: rows })}\n`)
  } else process.stdout.write(`\n${renderTable(results)}`)
  return results.every(({ attempt }) => attempt.kind === 'caught') ? 0 : 1
}

function attemptOf(check: Check, mutant: Mutant | undefined): Promise<Attempt> {
  switch (check) {
    case 'properties':
      return tryProperties(mutant)
    case 'simulation':
      return trySimulation(mutant)
  }
}

function argumentsOf() {
  return parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      json: { type: 'boolean' },
      // What this tool calls itself with: one check of one mutant.
      try: { type: 'string' }
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
