import type { FaultRule, RouteName } from './fault-rules.ts'
import { SeededRandom } from './seeded-random.ts'

export interface FaultQuestion {
  readonly route: RouteName
  readonly model?: string
  readonly texts?: readonly string[]
}

interface RuleState {
  readonly rule: FaultRule
  readonly random: SeededRandom
  seen: number
  played: number
}

/** Decides which request meets which fault. The same script and requests give the same faults. */
export class FaultScript {
  readonly seed: number
  readonly #states: readonly RuleState[]

  constructor(rules: readonly FaultRule[], seed = 1) {
    this.seed = seed
    // A stream of its own for each rule: adding a rule leaves the draws of the others as they were.
    this.#states = rules.map((rule, index) => ({
      rule,
      random: new SeededRandom(seed + index * 7919),
      seen: 0,
      played: 0
    }))
  }

  draw(question: FaultQuestion): FaultRule | undefined {
    let chosen: FaultRule | undefined
    for (const state of this.#states) {
      if (!matches(state.rule, question)) continue
      state.seen++
      const fires = isDue(state)
      if (!fires || chosen || state.played >= (state.rule.times ?? Number.POSITIVE_INFINITY)) continue
      state.played++
      chosen = state.rule
    }
    return chosen
  }

  report(): { readonly seed: number; readonly rules: readonly object[] } {
    return {
      seed: this.seed,
      rules: this.#states.map(({ rule, seen, played }) => ({ ...rule, seen, played }))
    }
  }
}

function matches(rule: FaultRule, { route, model, texts }: FaultQuestion): boolean {
  if (rule.route !== 'any' && rule.route !== route) return false
  if (rule.model !== undefined && rule.model !== model) return false
  const { containing } = rule
  return containing === undefined || (texts?.some(text => text.includes(containing)) ?? false)
}

function isDue({ rule, random, seen }: RuleState): boolean {
  const drawn = rule.share === undefined || random.next() < rule.share
  return drawn && isNth(rule.nth, seen)
}

function isNth(nth: FaultRule['nth'], seen: number): boolean {
  if (nth === undefined) return true
  if (typeof nth === 'number') return seen === nth
  if ('from' in nth) {
    return (
      seen >= nth.from && seen <= (nth.to ?? Number.POSITIVE_INFINITY) && (seen - nth.from) % nth.every === 0
    )
  }
  return nth.includes(seen)
}
