import type { Obligation, PartitionProgress } from '@pointsman/core/ports/ledger'
import type { ObligationId } from '@pointsman/core/domain/identity'
import { describe, expect, test } from 'vitest'
import { renderLag } from '../../../services/controller/src/cli/render-lag.ts'
import { renderLagBars } from '../../../services/controller/src/cli/render-lag-bars.ts'
import type { LagReport } from '../../../services/controller/src/lag/lag-report.ts'
import { reading, report, type Situation } from '../../support/lag-reading.ts'
import { obligationOf, progressOf } from '../../support/survey.ts'

const plain = (columns: number) => ({ columns, paint: (_: unknown, text: string) => text })
const progress = (
  ...numbers: [number, number, number]
): readonly (readonly [number, PartitionProgress])[] => [[0, progressOf(...numbers)]]
const orphan = (parts: number, fields: Partial<Obligation> = {}): Obligation =>
  obligationOf(0, parts, { id: 'o.9' as ObligationId, kind: 'orphan', owner: undefined, ...fields })

/** C 10, W 20, A 60, E 100: 10 uncommitted, 20 done ahead, 12 admitted, 8 waiting, 40 unread. */
const busy: Situation = {
  end: 100,
  committed: 10,
  batchCommitted: 13,
  progress: progress(20, 60, 20),
  obligations: [obligationOf(0, 12), orphan(8, { notBeforeMs: 4000, reason: 'timeout' })]
}

function bars({ partitions }: LagReport, columns: number): readonly string[] {
  return renderLagBars(partitions, columns)
}

describe('the bar of a partition', () => {
  test('is what lies between C and E, in the order of the log and to scale', () => {
    const [bar, legend] = bars(report(reading(busy)), 95)
    const signs = /\|(.*)\|/.exec(bar ?? '')?.[1] ?? ''
    expect(signs).toMatch(/^c+d+w+a+\.+$/)
    expect(signs).toHaveLength(90)
    expect(signs.replaceAll(/[^.]/g, '')).toHaveLength(40)
    expect(legend).toBe(' c uncommitted  d done ahead  w waiting  a admitted  . unread')
  })

  test('shows a single document beside a million', () => {
    const [bar] = bars(
      report(reading({ end: 1_000_001, progress: progress(0, 1, 1), obligations: [obligationOf(0, 1)] })),
      80
    )
    expect(bar).toMatch(/\|a\.{74}\|$/)
  })

  test('is not drawn where it has no room, or nothing lags', () => {
    expect(bars(report(reading(busy)), 79)).toEqual([])
    expect(bars(report(reading({ end: 5, committed: 5, progress: progress(5, 5, 0) })), 200)).toEqual([])
  })

  test('never stands instead of the numbers', () => {
    const [wide, narrow] = [200, 60].map(columns => renderLag(report(reading(busy)), plain(columns)))
    expect(wide).toContain('|cc')
    expect(narrow).not.toContain('|')
    for (const text of [wide, narrow]) {
      expect(text).toMatch(/partition +status +lag +unread .* uncommitted +idle group +oldest +lane/)
      expect(text).toMatch(/\n 0 +UNKNOWN +90 +40 +12 +0 +0 +8 +20 +10 +7 +– +realtime/)
      expect(text).toMatch(/\n all +UNKNOWN +90 +40 +12 +0 +0 +8 +20 +10 +7 +–/)
    }
  })
})

describe('what stands in the way', () => {
  test('orphans: how many may be adopted, how many rest and for how long, and why', () => {
    const both = { ...busy, obligations: [orphan(8, { notBeforeMs: 4000, reason: 'timeout' }), orphan(12)] }
    expect(renderLag(report(reading(busy)), plain(80))).toContain(
      'partition 0: 8 documents wait: 8 rest, the first for 4 s; the oldest: timeout'
    )
    expect(renderLag(report(reading(both)), plain(80))).toContain(
      'partition 0: 20 documents wait: 12 may be adopted now, 8 rest, the first for 4 s'
    )
  })

  test('a switch that drains, with what it waits for', () => {
    const text = renderLag(report(reading({ ...busy, draining: { epoch: 18, sinceMs: 0 } })), plain(80))
    expect(text).toContain(
      'switch: epoch 18 waits since 1970-01-01 00:00:00 UTC for 1 requests and 0 jobs with 12 documents'
    )
  })
})

describe('the last switch', () => {
  const switched = (admittedMs: number | undefined, end: number) =>
    renderLag(
      report(
        reading({
          end,
          progress: progress(40, 40, 0),
          handoff: {
            epoch: 17,
            cutMs: 1000,
            frontiers: new Map([[0, 40n]]),
            admittedMs: new Map([[0, admittedMs]]),
            released: 0,
            cancelled: 0
          }
        })
      ),
      plain(60)
    )

  test('is told by partition, with the time until its new lane admitted', () => {
    expect(switched(1053, 50)).toContain('last switch: epoch 17, cut 1970-01-01 00:00:01 UTC')
    expect(switched(1053, 50)).toMatch(/\n 0 +realtime +40 +after 53 ms/)
  })

  test('tells a lane that has not admitted from one that has nothing to admit', () => {
    expect(switched(undefined, 50)).toMatch(/\n 0 +realtime +40 +none yet: 10 to admit/)
    expect(switched(undefined, 40)).toMatch(/\n 0 +realtime +40 +none: nothing to admit/)
  })

  test('is not told where there was none', () => {
    expect(renderLag(report(reading(busy)), plain(60))).not.toContain('last switch')
  })
})
