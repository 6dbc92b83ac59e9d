import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Handoff } from '@pointsman/core/ports/ledger'
import { Metrics } from '@pointsman/core/runtime/metrics'
import { describe, expect, test } from 'vitest'
import { lagMetrics } from '../../../services/controller/src/lag/lag-metrics.ts'
import type { LagView } from '../../../services/controller/src/lag/lag-monitor.ts'
import { standbyOf } from '../../../services/controller/src/switching/standby.ts'
import { reading, report, type Situation } from '../../support/lag-reading.ts'
import { liveInstance, obligationOf, progressOf } from '../../support/survey.ts'

const groupState = { state: 'Stable', members: [{ memberId: 'm', partitions: [0] }] }

function viewOf(situation: Situation): LagView {
  const only = reading(situation)
  const { survey } = only
  return {
    report: report(only),
    survey,
    standbys: {
      realtime: standbyOf({ lane: 'realtime', group: 'a', groupState, survey }),
      batch: standbyOf({ lane: 'batch', group: 'b', groupState, survey })
    }
  }
}

/** The lines of the metrics of switching after these readings. */
async function published(...situations: readonly Situation[]): Promise<readonly string[]> {
  const metrics = new Metrics('controller')
  const publish = lagMetrics(metrics, 1000)
  for (const situation of situations) publish(viewOf(situation))
  const { body } = await metrics.render()
  return body
    .split('\n')
    .filter(line => line.startsWith('pointsman_'))
    .map(line => line.replace(/,?service="controller"/, '').replace('{}', ''))
}

const handoff: Handoff = {
  epoch: 17,
  cutMs: 1000,
  frontiers: new Map([[0, 40n]]),
  admittedMs: new Map([[0, 1053]]),
  released: 0,
  cancelled: 0
}
const settled = { end: 40, progress: [[0, progressOf(40, 40, 0)]] } as const

describe('metrics of switching', () => {
  test('tell lanes, handoff, drain, readiness and what waits to be adopted', async () => {
    const lines = await published({
      end: 90,
      nowMs: 5000,
      progress: [[0, { ...progressOf(40, 60, 20), lane: 'batch' }]],
      obligations: [
        obligationOf(0, 5, { id: 'o.1' as ObligationId, kind: 'orphan', owner: undefined }),
        obligationOf(0, 15, {
          id: 'o.2' as ObligationId,
          kind: 'orphan',
          owner: undefined,
          notBeforeMs: 9000
        })
      ],
      instances: [liveInstance()],
      handoff,
      draining: { epoch: 18, sinceMs: 1 }
    })
    expect(lines).toEqual(
      expect.arrayContaining([
        'pointsman_partition_lane{partition="0",lane="realtime"} 0',
        'pointsman_partition_lane{partition="0",lane="batch"} 1',
        'pointsman_handoff_epoch 17',
        'pointsman_handoff_seconds{partition="0"} 0.053',
        'pointsman_draining 1',
        'pointsman_standby_ready{lane="realtime"} 1',
        'pointsman_standby_ready{lane="batch"} 0',
        'pointsman_orphan_documents{partition="0",kind="adoptable"} 5',
        'pointsman_orphan_documents{partition="0",kind="resting"} 15'
      ])
    )
  })

  test('before the first switch there is no epoch and no time of one', async () => {
    const lines = await published(settled)
    expect(lines.filter(line => line.startsWith('pointsman_handoff'))).toEqual([])
    expect(lines).toContain('pointsman_draining 0')
  })

  test('what is no longer so is no longer published', async () => {
    const [first, second] = [
      { ...settled, handoff },
      { ...settled, handoff: { ...handoff, epoch: 19, admittedMs: new Map([[0, undefined]]) } }
    ]
    const lines = await published(first, second)
    expect(lines.filter(line => line.startsWith('pointsman_handoff'))).toEqual(['pointsman_handoff_epoch 19'])
  })

  test('a time of arrival that is not known is not 0', async () => {
    const eta = (lines: readonly string[]) => lines.filter(line => line.startsWith('pointsman_eta'))
    expect(eta(await published())).toEqual([])
    expect(eta(await published(settled))).toEqual(['pointsman_eta_seconds 0'])
    expect(eta(await published(settled, { ...settled, end: 50 }))).toEqual([])
  })
})
