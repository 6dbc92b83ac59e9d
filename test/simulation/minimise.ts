// Makes a plan that fails smaller, as long as it fails for the same reason: fewer actions, fewer lines, fewer processes.
import type { Action, Plan } from './plan.ts'
import { runPlan } from './run-plan.ts'

export interface Minimised {
  readonly plan: Plan
  readonly runs: number
}

/** @param invariant - that the plan breaks. @param maxRuns - after so many it is given back as small as it is. */
export async function minimise(plan: Plan, invariant: string, maxRuns: number): Promise<Minimised> {
  let runs = 0
  const fails = async (candidate: Plan): Promise<boolean> => {
    if (runs >= maxRuns) return false
    runs += 1
    const outcome = await runPlan(candidate)
    return !outcome.ok && outcome.invariant === invariant
  }
  let smallest = plan
  for (;;) {
    const before = sizeOf(smallest)
    smallest = await withFewerActions(smallest, fails)
    for (const process of smallest.processes) {
      const without = { ...smallest, processes: smallest.processes.filter(other => other !== process) }
      if (await fails(without)) smallest = without
    }
    smallest = await withFewerLines(smallest, fails)
    if (sizeOf(smallest) === before || runs >= maxRuns) return { plan: smallest, runs }
  }
}

function sizeOf({ actions, processes }: Plan): number {
  return actions.reduce((sum, action) => sum + linesOf(action), actions.length) + processes.length
}

function linesOf(action: Action): number {
  return action.do === 'ingest' ? action.lines.length : 0
}

/** Delta debugging: halves first, then ever smaller pieces. */
async function withFewerActions(plan: Plan, fails: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let { actions } = plan
  for (let pieces = 2; actions.length > 0; ) {
    const size = Math.ceil(actions.length / pieces)
    let isSmaller = false
    for (let from = 0; from < actions.length; from += size) {
      const rest = [...actions.slice(0, from), ...actions.slice(from + size)]
      if (!(await fails({ ...plan, actions: rest }))) continue
      actions = rest
      pieces = Math.max(2, pieces - 1)
      isSmaller = true
      break
    }
    if (isSmaller) continue
    if (size === 1) break
    pieces = Math.min(actions.length, pieces * 2)
  }
  return { ...plan, actions }
}

async function withFewerLines(plan: Plan, fails: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let smaller = plan
  for (const [index, action] of plan.actions.entries()) {
    if (action.do !== 'ingest') continue
    let { lines } = action
    for (const line of action.lines) {
      const rest = lines.filter(other => other !== line)
      if (rest.length === 0) break
      const candidate = { ...smaller, actions: smaller.actions.with(index, { ...action, lines: rest }) }
      if (!(await fails(candidate))) continue
      lines = rest
      smaller = candidate
    }
  }
  return smaller
}
