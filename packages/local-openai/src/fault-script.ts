import type { JobFault } from './batches/job-fault.ts'
import { jobFaultSchema } from './batches/job-fault.ts'
import { isNth, isOneOf, isWithin } from './fault-when.ts'
import type { RouteName } from './fault-when.ts'
import type { FaultRule } from './fault-rules.ts'
import type { FileFault } from './files/file-fault-kinds.ts'
import { newHex } from './ids.ts'
import { SeededRandom } from './seeded-random.ts'

export interface FaultQuestion {
  readonly route: RouteName
  readonly model?: string
  readonly texts?: readonly string[]
  /** Of the file or the job that the request is about. */
  readonly id?: string
  /** The job's, in truth. */
  readonly status?: string
}

interface Count {
  seen: number
  played: number
}

interface RuleState extends Count {
  readonly rule: FaultRule
  /** Unlike that of any other rule, of other scripts too. */
  readonly key: string
  readonly seed: number
  readonly random: SeededRandom
  /** Of each file or job, for rules that count so. */
  readonly byId: Map<string, Count>
}

/** Decides what meets which fault. The same script and requests give the same faults. */
export class FaultScript {
  readonly seed: number
  readonly #states: readonly RuleState[]
  readonly #nowMs: () => number
  readonly #setMs: number

  constructor(rules: readonly FaultRule[], seed = 1, nowMs: () => number = () => performance.now()) {
    this.seed = seed
    this.#nowMs = nowMs
    this.#setMs = nowMs()
    const script = newHex().slice(0, 8)
    // A stream of its own for each rule: adding a rule leaves the draws of the others as they were.
    this.#states = rules.map((rule, index) => ({
      rule,
      key: `${script}.${index}`,
      seed: seed + index * 7919,
      random: new SeededRandom(seed + index * 7919),
      byId: new Map(),
      seen: 0,
      played: 0
    }))
  }

  /** The fault of a request: the first rule that fires. */
  draw(question: FaultQuestion): FaultRule | undefined {
    let chosen: FaultRule | undefined
    for (const state of this.#current()) {
      if (matches(state.rule, question) && fires(state, chosen === undefined, question.id))
        chosen = state.rule
    }
    return chosen
  }

  /** The faults of a job that is created now, and of its lines: all that fire. */
  drawJob(): JobFault[] {
    return this.#current().flatMap(state => {
      const { key, rule, seed } = state
      if (rule.route === 'jobs') return fires(state, true) ? [jobFaultSchema.parse({ key, seed, rule })] : []
      if (rule.route !== 'lines') return []
      state.seen++
      const ofThisJob = seed + state.seen * 104_729
      return isNth(rule.jobs, state.seen) ? [jobFaultSchema.parse({ key, seed: ofThisJob, rule })] : []
    })
  }

  /** The faults of a file that is stored now: all that fire. */
  drawFile(): FileFault[] {
    return this.#current().flatMap(state =>
      state.rule.route === 'files' && fires(state, true) ? [state.rule] : []
    )
  }

  /** The fault of a webhook that is sent now: the first rule that fires. */
  drawWebhook(): FaultRule | undefined {
    let chosen: FaultRule | undefined
    for (const state of this.#current()) {
      if (state.rule.route === 'webhooks' && fires(state, chosen === undefined)) chosen = state.rule
    }
    return chosen
  }

  /** Those whose time it is; the others do not even count. */
  #current(): readonly RuleState[] {
    const elapsedMs = this.#nowMs() - this.#setMs
    return this.#states.filter(({ rule }) => isWithin(rule, elapsedMs))
  }

  /** @param struckLines - how many lines a rule has met, by its key; the jobs count them. */
  report(struckLines: ReadonlyMap<string, number> = new Map()): {
    readonly seed: number
    readonly rules: readonly object[]
  } {
    return {
      seed: this.seed,
      rules: this.#states.map(({ key, rule, seen, played }) => ({
        ...rule,
        seen,
        played: rule.route === 'lines' ? (struckLines.get(key) ?? 0) : played
      }))
    }
  }
}

function matches(rule: FaultRule, { id, model, route, status, texts }: FaultQuestion): boolean {
  if (rule.route !== 'any' && rule.route !== route) return false
  if (rule.model !== undefined && rule.model !== model) return false
  if (!isOneOf(rule.id, id) || !isOneOf(rule.whileStatus, status)) return false
  const { containing } = rule
  return containing === undefined || (texts?.some(text => text.includes(containing)) ?? false)
}

/** Counts one more, and whether it is due; it plays only when it may. */
function fires(state: RuleState, mayPlay: boolean, id = ''): boolean {
  const { rule } = state
  const count = rule.perId ? countOf(state, id) : state
  if (count !== state) state.seen++
  count.seen++
  const isDrawn = rule.share === undefined || state.random.next() < rule.share
  const isDue = isDrawn && isNth(rule.nth, count.seen)
  if (!isDue || !mayPlay || count.played >= (rule.times ?? Number.POSITIVE_INFINITY)) return false
  if (count !== state) state.played++
  count.played++
  return true
}

function countOf({ byId }: RuleState, id: string): Count {
  const count = byId.get(id) ?? { seen: 0, played: 0 }
  byId.set(id, count)
  return count
}
