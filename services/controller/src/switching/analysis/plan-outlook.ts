import type { Lane } from '@pointsman/core/domain/lane'
import { planSwitch } from '../plan-switch.ts'
import { SwitchRefused } from '../switch-refused.ts'
import type { SwitchShape } from '../switch-report.ts'
import type { AnalysisFacts } from './analysis-facts.ts'
import type { StrategyOutlook } from './analysis-report.ts'

type Refusal = NonNullable<StrategyOutlook['refusal']>

export interface PlanOutlook {
  /** Partitions that change; none when there is no plan, or nothing to change. */
  readonly moving: readonly number[]
  /** Lanes of all partitions afterwards. */
  readonly after: ReadonlyMap<number, Lane>
  /** Why there is no plan. */
  readonly refusal: Refusal | null
}

/** What would become of the lanes. Pure. */
export function planOutlook(
  { survey, target, wish }: Pick<AnalysisFacts, 'survey' | 'target' | 'wish'>,
  strategy: SwitchShape['strategy']
): PlanOutlook {
  const now = new Map([...survey.state.partitions].map(([partition, { lane }]) => [partition, lane]))
  try {
    const { lanes } = planSwitch(survey.state, { target, strategy, share: wish.share })
    return { moving: [...lanes.keys()], after: new Map([...now, ...lanes]), refusal: null }
  } catch (error) {
    if (!(error instanceof SwitchRefused)) throw error
    return { moving: [], after: now, refusal: { code: error.code, detail: error.message } }
  }
}

/** Why a switch that can be planned would be refused as things are now. */
export function refusalNow(
  { history, standby, survey, target }: AnalysisFacts,
  isUnchanged: boolean
): Refusal | null {
  const underWay = switchUnderWay({ history, survey })
  if (underWay !== undefined) {
    return {
      code: 'SWITCH_UNDER_WAY',
      detail: `${underWay}: wait for its end, or \`pointsman switch abort\``
    }
  }
  const { ready, reasons } = standby[target]
  if (ready || isUnchanged) return null
  const detail = `the ${target} lane is not ready: ${reasons.join('; ')}; or switch with --even-if-unready`
  return { code: 'STANDBY_NOT_READY', detail }
}

/** In words; undefined when there is none. */
export function switchUnderWay({
  history,
  survey
}: Pick<AnalysisFacts, 'history' | 'survey'>): string | undefined {
  const { current } = history
  if (current !== null) return `switch ${current.switchId} to ${current.target} is ${current.state}`
  const { draining } = survey.state
  return draining && `the switch of epoch ${draining.epoch} is draining`
}
