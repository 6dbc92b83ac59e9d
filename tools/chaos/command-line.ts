import { parseArgs } from 'node:util'
import { isFaultKind } from './plan.ts'

export const usage = `Usage: npm run chaos -- [options]

Starts real servers and all services of Pointsman on this computer, lets documents flow and lanes change, and does everything
to them that may happen: kills, pauses, cut and slow links, servers that restart, a ledger that is lost, a full disk, a
provider that fails. Then everything is healed, and an independent checker compares the index and the bill with what was
produced. Needs no key and costs nothing.

  --minutes N   how long the storm lasts (default 1)
  --seed N      of what is done and when (default 1)
  --without K,K kinds of faults that are left out
  --trace FILE  write every transition of the ledger to FILE, and have the specification accept each
  --json        one line of JSON on standard output; the timeline goes to standard error in any case
  --keep        keep logs and data, also when all is well

Exit codes: 0 all is well, 1 something was found, or too little happened, 2 wrong usage.`

export interface ChaosCommand {
  readonly minutes: number
  readonly seed: number
  readonly without: readonly string[]
  readonly trace: string | undefined
  readonly json: boolean
  readonly keep: boolean
}

/** @returns why the command line is wrong, or what it says; undefined when it asks for help. */
export function parseCommandLine(args: readonly string[]): ChaosCommand | string | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string', default: '1' },
        seed: { type: 'string', default: '1' },
        without: { type: 'string', default: '' },
        trace: { type: 'string' },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' }
      }
    })
    if (values.help === true) return undefined
    const minutes = Number(values.minutes)
    if (!Number.isFinite(minutes) || minutes <= 0) return '--minutes must be a number above 0'
    const seed = Number(values.seed)
    if (!Number.isSafeInteger(seed) || seed < 0) return '--seed must be a whole number'
    const without = values.without.split(',').filter(kind => kind !== '')
    const unknown = without.filter(kind => !isFaultKind(kind))
    if (unknown.length > 0) return `--without: there is no ${unknown.join(', ')}`
    return { minutes, seed, without, trace: values.trace, json: values.json, keep: values.keep }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
