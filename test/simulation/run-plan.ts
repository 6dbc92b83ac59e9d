// Plays a plan: lets its actions happen, checks what must never be after each thing that is carried out, then heals
// everything, waits until it is quiet, and judges what is there.
import { auditIndex } from './audit.ts'
import { Director } from './director.ts'
import { whatIsLeft } from './left.ts'
import { Overseer } from './overseer.ts'
import type { Action, Plan } from './plan.ts'
import { Violation } from './violation.ts'
import { Wire } from './wire.ts'
import { snapshotEveryMs, World } from './world.ts'

export interface PlanStats {
  readonly virtualMs: number
  readonly events: number
  readonly documents: number
  readonly givenUp: number
  readonly payments: number
  /** Payments that were made again, and how many incidents allowed. */
  readonly repeated: number
  readonly allowed: number
  readonly happened: Readonly<Record<string, number>>
}

export type PlanOutcome =
  | { readonly ok: true; readonly stats: PlanStats; readonly story: readonly string[] }
  | {
      readonly ok: false
      readonly invariant: string
      readonly message: string
      readonly story: readonly string[]
    }

/** All is to be quiet so long after the last fault. */
const convergenceMs = 240_000
/** Long enough for a walk of the sweeper. */
const quietMs = 4_000
const lookEveryMs = 250

export async function runPlan(plan: Plan): Promise<PlanOutcome> {
  const play = new Play(plan)
  try {
    const stats = await play.run()
    return { ok: true, stats, story: play.world.story.lines }
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    play.world.story.tell('checker', `${error.invariant}: ${error.message}`)
    return { ok: false, invariant: error.invariant, message: error.message, story: play.world.story.lines }
  }
}

class Play {
  readonly world: World
  readonly #plan: Plan
  readonly #overseer: Overseer
  readonly #director: Director

  constructor(plan: Plan) {
    const world = new World(plan)
    const { random, schedule, weather } = world
    this.world = world
    this.#plan = plan
    this.#overseer = new Overseer(world)
    const wire = new Wire({
      schedule,
      weather,
      random: random.stream(),
      latencyMs: plan.latencyMs,
      witness: call => this.#overseer.witness(call)
    })
    this.#director = new Director(world, wire, this.#overseer)
  }

  async run(): Promise<PlanStats> {
    const { provider, schedule, story, weather } = this.world
    this.#director.begin()
    if (this.#plan.actions.some(action => action.do === 'roll-back-ledger')) this.#keepSnapshots()
    await this.#runUntil(Math.max(0, ...this.#plan.actions.map(endOf)))

    story.tell('checker', 'heals everything')
    weather.clear()
    await this.#untilQuiet(schedule.nowMs + convergenceMs)
    const { bill } = this.#overseer
    provider.server.finishAll()
    bill.lookAtJobs()
    const audit = auditIndex(this.world, this.#overseer.forgotten)
    const payments = bill.check()
    await this.#overseer.checkIndexed()
    return {
      virtualMs: schedule.nowMs,
      events: schedule.events,
      payments: bill.payments,
      ...audit,
      ...payments,
      happened: Object.fromEntries([...story.happened].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    }
  }

  #keepSnapshots(): void {
    this.world.snapshot()
    this.world.schedule.after(snapshotEveryMs, () => this.#keepSnapshots())
  }

  async #runUntil(atMs: number): Promise<void> {
    await this.world.schedule.runUntil(atMs, () => this.#overseer.violation !== undefined)
    if (this.#overseer.violation !== undefined) throw this.#overseer.violation
  }

  /** L1, L2: until every document is settled and every switch has ended. */
  async #untilQuiet(untilMs: number): Promise<void> {
    const { schedule } = this.world
    let since: number | undefined
    for (;;) {
      await this.#runUntil(schedule.nowMs + lookEveryMs)
      const left = await whatIsLeft(this.world, this.#director)
      if (left.length > 0) since = undefined
      else since ??= schedule.nowMs
      if (since !== undefined && schedule.nowMs - since >= quietMs) return
      if (schedule.nowMs > untilMs) throw new Violation('L1 AllDone', `still waiting: ${left.join('; ')}`)
    }
  }
}

function endOf(action: Action): number {
  return action.atMs + ('forMs' in action ? action.forMs : 0)
}
