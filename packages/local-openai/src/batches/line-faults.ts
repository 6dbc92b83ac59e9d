import { isNth, isOneOf } from '../fault-when.ts'
import { SeededRandom } from '../seeded-random.ts'
import type { JobFault } from './job-fault.ts'

interface LineUnderFault {
  /** In the input, from 1. */
  readonly number: number
  readonly customId: string
  readonly texts: readonly string[]
}

/** Decides which line of a job meets which fault, whatever the order in which they are asked for. */
export class LineFaults {
  readonly #faults: readonly JobFault[]

  /** @param stage - whether it is about what lets no line run, or about lines that run. */
  constructor(faults: readonly JobFault[], stage: 'inspection' | 'run') {
    this.#faults = faults.filter(
      ({ rule }) => rule.route === 'lines' && (rule.kind === 'invalid_line') === (stage === 'inspection')
    )
  }

  /** The first that fires. */
  find(line: LineUnderFault): JobFault | undefined {
    return this.#faults.find(fault => strikes(fault, line))
  }
}

function strikes({ rule, seed }: JobFault, { customId, number, texts }: LineUnderFault): boolean {
  const { containing, share } = rule
  if (!isNth(rule.nth, number) || !isOneOf(rule.customId, customId)) return false
  if (containing !== undefined && !texts.some(text => text.includes(containing))) return false
  return share === undefined || new SeededRandom(seed + number * 15_485_863).next() < share
}
