// One switch by the controller's API, and what the ledger says of its handoff.
import type { SwitchAnswer } from './switch-api.ts'
import type { LedgerState } from '@pointsman/core/ports/ledger'
import type { ThrownSwitch } from './switch-thrown.ts'
import type { SwitchSampler } from './switch-sampler.ts'
import type { SwitchStep } from './switch-variants.ts'
import type { SwitchWorld } from './switch-world.ts'

export interface ThrowOptions {
  readonly switchId: string
  readonly competes: boolean
}

/** A drain waits for jobs; each new lane has to have admitted something by then. */
const cutWithinMs = 60_000
const handoffWithinMs = 15_000

export async function throwSwitch(
  { controllers: [api, other], ledger }: SwitchWorld,
  sampler: SwitchSampler,
  step: SwitchStep,
  { competes, switchId }: ThrowOptions
): Promise<ThrownSwitch> {
  const { share, strategy, target } = step
  const { obligations, state } = await ledger.survey()
  const jobs = obligations.filter(each => each.state === 'submitted').length
  const { unread } = sampler
  const wish = { target, strategy, share, expectedEpoch: state.epoch, actor: 'bench', reason: 'benchmark' }
  const rival = { ...wish, switchId: `${switchId}-rival` }

  const startMs = Date.now()
  const asked = [api.switch({ ...wish, switchId }), ...(competes ? [other.switch(rival)] : [])]
  const answers = await Promise.all(asked)
  const answerMs = Date.now() - startMs
  const won = answers.flatMap(answer => (answer.kind === 'report' ? answer.report : []))
  const base = { ...step, answerMs, jobs, unread, because: '', disagreements: [] }
  const nothing = { cutMs: Number.NaN, firstMs: Number.NaN, lastMs: Number.NaN }
  const ended = (): ThrownSwitch['window'] => ({ fromMs: startMs, toMs: Date.now() })
  const [report] = won
  if (report === undefined)
    return {
      ...base,
      ...nothing,
      outcome: 'refused',
      because: answers.map(saying).join('; '),
      window: ended()
    }

  const abortion = step.isAborted ? await api.abort() : undefined
  if (abortion?.kind === 'report') {
    await sampler.until(each => each.draining === undefined, cutWithinMs)
    return { ...base, ...nothing, outcome: 'aborted', window: ended() }
  }
  if (!(await sampler.until(each => each.epoch >= report.epoch, cutWithinMs)))
    return { ...base, ...nothing, outcome: 'refused', because: 'it did not cut', window: ended() }
  await sampler.until(isHandedOver, handoffWithinMs)
  const { handoff } = sampler.state
  const admitted = [...(handoff?.admittedMs.values() ?? [])].map(ms => (ms ?? Number.NaN) - startMs)
  const again = competes ? await Promise.all([other.switch({ ...wish, switchId }), api.switch(rival)]) : []
  const disagreements = disagreementsOf(answers, again, sampler.state.epoch)
  return {
    ...base,
    outcome: step.isAborted ? 'late' : 'completed',
    because: abortion === undefined ? '' : saying(abortion),
    disagreements,
    cutMs: (handoff?.cutMs ?? Number.NaN) - startMs,
    firstMs: Math.min(...admitted),
    lastMs: Math.max(...admitted),
    window: { fromMs: startMs, toMs: startMs + Math.max(0, ...admitted.filter(Number.isFinite)) }
  }
}

/** The new epoch needs a ready lane, and every partition that changed its lane an admission. */
function isHandedOver({ handoff }: LedgerState): boolean {
  return handoff !== undefined && [...handoff.admittedMs.values()].every(ms => ms !== undefined)
}

/**
 * Of commands that competed one was carried out. Asked again, of the other controller, each is answered as before: no
 * switch is made by a repetition.
 */
function disagreementsOf(
  answers: readonly SwitchAnswer[],
  again: readonly SwitchAnswer[],
  epoch: number
): readonly string[] {
  const completed = answers.filter(({ kind }) => kind === 'report').length
  const found = completed === 1 ? [] : [`${completed} of the commands were carried out`]
  for (const [index, repeated] of again.entries()) {
    const first = answers[index]
    const isSame =
      first?.kind === 'report' && repeated.kind === 'report'
        ? first.report.epoch === repeated.report.epoch && repeated.report.epoch === epoch
        : first?.kind === repeated.kind
    if (!isSame) found.push(`${first && saying(first)}; again: ${saying(repeated)}`)
  }
  return found
}

function saying(answer: SwitchAnswer): string {
  if (answer.kind === 'refused') return `${answer.status} ${answer.code}: ${answer.detail}`
  return `${answer.report.state}, epoch ${answer.report.epoch}`
}
