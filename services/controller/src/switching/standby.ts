import type { Lane } from '@pointsman/core/domain/lane'
import type { GroupState } from '@pointsman/core/ports/event-log'
import type { Survey } from '@pointsman/core/ports/ledger'
import type { Standby } from './switch-report.ts'

export interface StandbyFacts {
  readonly lane: Lane
  readonly group: string
  readonly groupState: GroupState
  readonly survey: Pick<Survey, 'instances' | 'nowMs' | 'state'>
}

/** Whether a lane is warm: a living instance without trouble, and every partition in the hands of a member. Pure. */
export function standbyOf({ lane, group, groupState, survey }: StandbyFacts): Standby {
  const service = `embedder-${lane}`
  const instances = survey.instances
    .filter(instance => instance.service === service)
    .map(({ instance, leaseUntilMs, trouble }) => ({ instance, alive: leaseUntilMs > survey.nowMs, trouble }))
  const assigned = new Set(groupState.members.flatMap(({ partitions }) => partitions))
  const unassigned = [...survey.state.partitions.keys()].filter(partition => !assigned.has(partition))
  const reasons: string[] = []
  const alive = instances.filter(instance => instance.alive)
  if (alive.length === 0) reasons.push(`no ${service} is alive: start one`)
  else if (alive.every(({ trouble }) => trouble !== '')) {
    for (const { instance, trouble } of alive) reasons.push(`${instance}: ${trouble}`)
  }
  if (groupState.state !== 'Stable') {
    reasons.push(`group ${group} is ${groupState.state}: wait until its members have joined`)
  } else if (unassigned.length > 0) {
    reasons.push(`nobody in group ${group} has partition ${unassigned.join(', ')}: wait for its rebalance`)
  }
  return {
    lane,
    ready: reasons.length === 0,
    reasons,
    instances,
    group: { name: group, state: groupState.state, members: groupState.members.length, unassigned }
  }
}
