// The switch. A wish becomes an intent in the control log, and from then on whoever reads that log carries it out: this
// controller, the one after a crash, or another beside it. Nothing about a switch is known to this process alone.
import { Failure } from '@pointsman/core/domain/failure'
import { type Lane, otherLane } from '@pointsman/core/domain/lane'
import type { SwitchIntent } from '@pointsman/core/ports/control-log'
import type { LedgerState, Survey } from '@pointsman/core/ports/ledger'
import type { HitFailpoint } from '@pointsman/core/runtime/failpoint'
import { messageOf } from '@pointsman/core/runtime/message-of'
import type { Parts } from '../parts.ts'
import { abort, carryOut, refuse } from './carry-out.ts'
import { ControlBook, type RecordedSwitch } from './control-book.ts'
import { describeSwitch, describeUnchanged } from './describe-switch.ts'
import { planRollback, planSwitch, type SwitchPlan } from './plan-switch.ts'
import { standbyOf } from './standby.ts'
import { SwitchRefused } from './switch-refused.ts'
import type { RollbackWish, Standby, SwitchHistory, SwitchReport, SwitchWish } from './switch-report.ts'

export interface SwitcherDeps {
  readonly parts: Pick<Parts, 'admin' | 'clock' | 'control' | 'ledger' | 'names'>
  readonly hit: HitFailpoint
  /** Names this controller in the control log. */
  readonly self: string
  readonly warn: (message: string) => void
  /** Told of each switch whose end this controller has recorded. */
  readonly onEnd: (report: SwitchReport) => void
}

export interface AskedBy {
  readonly actor: string
  readonly reason: string
}

type Wanted = Omit<SwitchWish, 'evenIfUnready' | 'expectedEpoch' | 'switchId'>

/** Between two looks at a switch that is under way. */
const stepMs = 250
/** Between two looks at the control log, for what another controller has left. */
const lookSteps = 8
const idChances = 36 ** 8

export class Switcher {
  readonly #deps: SwitcherDeps
  readonly #book: ControlBook
  /** One thing after the other: the book has one reader, and a wish is judged by what was before it. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(deps: SwitcherDeps) {
    this.#deps = deps
    this.#book = new ControlBook(deps.parts.control)
  }

  /**
   * Switches. With the id of an earlier request it answers as that one did.
   * @returns how it ended, or how far it is: a switch that drains, or that is recorded while a part is away, goes on.
   * @throws {SwitchRefused} nothing has changed.
   * @throws {Failure} of the ports; whether it was recorded is not known: repeat it with its id.
   */
  async request(wish: SwitchWish, signal: AbortSignal): Promise<SwitchReport> {
    return this.#alone(async () => {
      const [survey, standby] = await Promise.all([this.#settled(signal), this.#group(wish.target)])
      const known = wish.switchId === undefined ? undefined : this.#book.find(wish.switchId)
      if (known !== undefined) return this.#answerAgain(known, wish, survey)

      const { state } = survey
      if (wish.expectedEpoch !== undefined && wish.expectedEpoch !== state.epoch) {
        const why = `the epoch is ${state.epoch}, not ${wish.expectedEpoch}: the lanes were switched meanwhile`
        throw new SwitchRefused('EPOCH_CHANGED', `${why}; look, then try again`)
      }
      const plan = planSwitch(state, wish)
      this.#refuseUnderWay()
      if (plan.lanes.size === 0) return describeUnchanged(wish, state.epoch, this.#deps.parts.clock.nowMs())
      if (!wish.evenIfUnready) refuseUnready(standbyOf({ ...standby, survey }))
      return this.#begin(wish, plan, state, wish.switchId, signal)
    })
  }

  /** Back to the lanes before the last switch, at once, if they are ready. @throws as `request`. */
  async rollback(
    { actor, evenIfUnready, reason, switchId }: RollbackWish,
    signal: AbortSignal
  ): Promise<SwitchReport> {
    return this.#alone(async () => {
      const survey = await this.#settled(signal)
      const known = switchId === undefined ? undefined : this.#book.find(switchId)
      if (known !== undefined) return this.#report(known, survey)
      this.#refuseUnderWay()
      const last = this.#book.ended().find(({ outcome }) => outcome?.result === 'completed')
      if (last === undefined) {
        throw new SwitchRefused('NOTHING_TO_ROLL_BACK', 'the lanes were never switched')
      }
      const target = otherLane(last.intent.target)
      const plan = planRollback(survey.state, last.intent.before, target)
      const share = shareOf(plan, target)
      const wish: Wanted = { target, strategy: 'detach', share, deadlineMs: 600_000, actor, reason }
      if (plan.lanes.size === 0) {
        return describeUnchanged(wish, survey.state.epoch, this.#deps.parts.clock.nowMs())
      }
      if (!evenIfUnready) refuseUnready(standbyOf({ ...(await this.#group(target)), survey }))
      return this.#begin(wish, plan, survey.state, switchId, signal)
    })
  }

  /** Ends the switch that is under way; the old lanes go on. @throws {SwitchRefused} there is none, or it has cut. */
  async abort(by: AskedBy, signal: AbortSignal): Promise<SwitchReport> {
    return this.#alone(async () => {
      await this.#book.catchUp(signal)
      const last = this.#book.pending().at(-1)
      if (last === undefined) {
        const remedy = 'a switch that was made is taken back by `pointsman switch rollback`'
        throw new SwitchRefused('NOTHING_TO_ABORT', `no switch is under way; ${remedy}`)
      }
      const isAborted = await abort(last, by, this.#carrying(), signal)
      const survey = await this.#settled(signal)
      const now = this.#book.find(last.intent.switchId) ?? last
      if (!isAborted) {
        throw new SwitchRefused(
          'TOO_LATE_TO_ABORT',
          'it was made already; `pointsman switch rollback` takes it back'
        )
      }
      const report = describeSwitch(now, survey)
      this.#deps.onEnd(report)
      return report
    })
  }

  async find(switchId: string, signal: AbortSignal): Promise<SwitchReport | undefined> {
    return this.#alone(async () => {
      const survey = await this.#look(signal)
      const found = this.#book.find(switchId)
      return found && describeSwitch(found, survey)
    })
  }

  async history(limit: number, signal: AbortSignal): Promise<SwitchHistory> {
    return this.#alone(async () => {
      const survey = await this.#look(signal)
      const current = this.#book.pending().at(0)
      return {
        epoch: survey.state.epoch,
        current: current ? describeSwitch(current, survey) : null,
        switches: this.#book
          .ended()
          .slice(0, limit)
          .map(ended => describeSwitch(ended, survey))
      }
    })
  }

  /** Whether a lane could take over now. */
  async standby(lane: Lane): Promise<Standby> {
    const [survey, group] = await Promise.all([this.#deps.parts.ledger.survey(), this.#group(lane)])
    return standbyOf({ ...group, survey })
  }

  /** Carries on what is under way, whoever began it, until the signal aborts. */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, control } = this.#deps.parts
    let told = ''
    for (let step = 0; ; step += 1) {
      try {
        if (step === 0) await control.prepare(signal)
        if (step % lookSteps === 0 || this.#book.pending().length > 0) {
          await this.step(signal)
        }
        told = ''
      } catch (error) {
        signal.throwIfAborted()
        if (messageOf(error) !== told) this.#deps.warn(`switching waits: ${messageOf(error)}`)
        told = messageOf(error)
      }
      await clock.sleep(stepMs, signal)
    }
  }

  /** One step of what is under way. */
  async step(signal: AbortSignal): Promise<void> {
    await this.#alone(() => this.#settled(signal))
  }

  async #look(signal: AbortSignal): Promise<Survey> {
    const [survey] = await Promise.all([this.#deps.parts.ledger.survey(), this.#book.catchUp(signal)])
    return survey
  }

  /** Reads what is, and carries on what is under way; what it answers is newer than that. */
  async #settled(signal: AbortSignal): Promise<Survey> {
    const survey = await this.#look(signal)
    if (this.#book.pending().length === 0) return survey
    await this.#settle(survey.state, signal)
    return this.#deps.parts.ledger.survey()
  }

  /** One step of every switch that is under way, in the order of their epochs. */
  async #settle({ ledgerId }: Pick<LedgerState, 'ledgerId'>, signal: AbortSignal): Promise<void> {
    const deps = this.#carrying()
    for (const recorded of this.#book.pending()) {
      if (this.#book.isVoid(recorded)) {
        await refuse(recorded, 'the ledger that it was meant for was lost', deps, signal)
      } else if (recorded.intent.ledgerId === ledgerId) await carryOut(recorded, deps, signal)
      const now = this.#book.find(recorded.intent.switchId)
      if (now?.outcome !== undefined) this.#deps.onEnd(describeSwitch(now))
    }
  }

  async #begin(
    wish: Wanted,
    plan: SwitchPlan,
    state: LedgerState,
    switchId: string | undefined,
    signal: AbortSignal
  ): Promise<SwitchReport> {
    const { hit, parts } = this.#deps
    await this.#book.open(state, parts.clock.nowMs(), signal)
    const intent = this.#intentOf(wish, plan, state, switchId)
    await this.#book.record(intent, signal)
    hit('ctl.intent')
    const recorded = this.#book.find(intent.switchId)
    if (recorded === undefined) throw new Error(`switch ${intent.switchId} is not where it was written`)
    try {
      await this.#settle(intent, signal)
      return this.#report(this.#book.find(intent.switchId) ?? recorded, await parts.ledger.survey())
    } catch (error) {
      // It is recorded, so it will be carried out: the loop tries again.
      if (!(error instanceof Failure)) throw error
      const because = `recorded, and carried out as soon as that is possible: ${error.message}`
      return { ...describeSwitch(this.#book.find(intent.switchId) ?? recorded), because }
    }
  }

  #answerAgain(known: RecordedSwitch, wish: SwitchWish, survey: Survey): SwitchReport {
    const { expectedEpoch, share, strategy, switchId, target } = known.intent
    const isSame =
      target === wish.target &&
      strategy === wish.strategy &&
      share === wish.share &&
      (wish.expectedEpoch === undefined || wish.expectedEpoch === expectedEpoch)
    if (!isSame) {
      const was = `${switchId} was a switch to ${target}, ${strategy}, share ${share}`
      throw new SwitchRefused('SWITCH_ID_REUSED', `${was}: another switch needs another id`)
    }
    return this.#report(known, survey)
  }

  /** @throws {SwitchRefused} somebody else's switch came first. */
  #report(recorded: RecordedSwitch, survey: Survey): SwitchReport {
    const { outcome } = recorded
    if (outcome?.result !== 'refused') return describeSwitch(recorded, survey)
    const winner = this.#book.ended().find(({ epoch }) => epoch === survey.state.epoch)
    const by = winner
      ? ` (${winner.intent.switchId}, to ${winner.intent.target}, by ${winner.intent.actor})`
      : ''
    throw new SwitchRefused('SWITCH_LOST', `refused: ${outcome.because}${by}; look, then try again`)
  }

  #refuseUnderWay(): void {
    const current = this.#book.pending().at(0)
    if (current === undefined) return
    const { actor, strategy, switchId, target } = current.intent
    const which = `switch ${switchId} to ${target} (${strategy}, by ${actor}) is under way`
    throw new SwitchRefused('SWITCH_UNDER_WAY', `${which}: wait for it, or \`pointsman switch abort\``)
  }

  #intentOf(
    { actor, deadlineMs, reason, share, strategy, target }: Wanted,
    plan: SwitchPlan,
    { epoch, ledgerId }: LedgerState,
    switchId: string | undefined
  ): SwitchIntent {
    const { clock } = this.#deps.parts
    const atMs = clock.nowMs()
    const given = { actor, deadlineMs, reason, share, strategy, target, ...plan }
    // Two controllers may write at the same place: chance keeps them apart.
    const chance = Math.floor(clock.random() * idChances).toString(36)
    const id = switchId ?? `${this.#book.nextEpoch}-${chance}`
    return { kind: 'intent', switchId: id, ledgerId, expectedEpoch: epoch, ...given, atMs }
  }

  async #group(lane: Lane) {
    const { admin, names } = this.#deps.parts
    const group = names.groups[lane]
    return { lane, group, groupState: await admin.group(group) }
  }

  #carrying() {
    const { hit, parts, self } = this.#deps
    return { ledger: parts.ledger, clock: parts.clock, book: this.#book, hit, self }
  }

  #alone<Result>(act: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(act)
    this.#turn = turn.catch(() => undefined)
    return turn
  }
}

function refuseUnready({ lane, ready, reasons }: Standby): void {
  if (ready) return
  const remedy = 'mend that, or ask for the switch even so'
  throw new SwitchRefused(
    'STANDBY_NOT_READY',
    `the ${lane} lane is not ready: ${reasons.join('; ')}; ${remedy}`
  )
}

function shareOf({ before, lanes }: SwitchPlan, target: Lane): number {
  const after = [...new Map([...before, ...lanes]).values()]
  return after.filter(lane => lane === target).length / after.length
}
