// What holds of switches over random histories of the specification, see test/property/ledger.test.ts. I1, I2, I8 and I9
// are judged over the same histories there.
import type { Obligation, Survey } from '@pointsman/core/ports/ledger'
import { expect } from 'vitest'
import { isAdmitted } from '../support/ledger-history.ts'
import type { Moment } from '../support/ledger-play.ts'
import { always } from '../support/ledger-play.ts'

/** Whether this step made a switch. */
function isCut({ before, after }: Moment): boolean {
  return after.state.epoch > before.state.epoch
}

function manifestsIn(survey: Survey, states: readonly string[]): Survey['obligations'] {
  return survey.obligations.filter(({ kind, state }) => kind === 'manifest' && states.includes(state))
}

always('a ledger is left draining by no switch that was aborted or made', () => {
  let highestAborted = 0
  return ({ step, after }) => {
    const { change, answers } = step
    if (change?.type === 'abort' && answers[0] === 'aborted') {
      highestAborted = Math.max(highestAborted, change.change.epoch)
    }
    const { draining, epoch } = after.state
    if (draining !== undefined) expect(draining.epoch).toBeGreaterThan(Math.max(highestAborted, epoch))
  }
})

always('a switch that was aborted is never made, and one that was made not aborted', () => {
  const aborted = new Set<number>()
  return ({ step: { change, answers }, before, after }) => {
    if (change?.type === 'abort') {
      const { epoch } = change.change
      expect(answers[0]).toBe(before.state.epoch >= epoch ? 'passed' : 'aborted')
      if (answers[0] === 'aborted') aborted.add(epoch)
    }
    expect(aborted).not.toContain(after.state.epoch)
  }
})

always('lanes and epoch change by a switch alone, to what it asked for', () => moment => {
  const { step, before, after } = moment
  const made = isCut(moment) && step.change?.type === 'switch' ? step.change.change : undefined
  expect(after.state.epoch).toBe(made?.epoch ?? before.state.epoch)
  if (made !== undefined) expect(before.state.epoch).toBe(made.expectedEpoch)
  expect(after.state.defaultLane).toBe(made?.defaultLane ?? before.state.defaultLane)
  for (const [partition, { lane }] of before.state.partitions) {
    expect(after.state.partitions.get(partition)?.lane).toBe(made?.lanes.get(partition) ?? lane)
  }
})

always('a switch is refused for another epoch, then as aborted, then because another is waiting', () => {
  let highestAborted = 0
  return ({ step: { change, answers }, before: { state } }) => {
    const [answer] = answers
    if (change === undefined) return
    if (change.type === 'abort') {
      if (answer === 'aborted') highestAborted = Math.max(highestAborted, change.change.epoch)
      return
    }
    const { expectedEpoch, epoch } = change.change
    const refused = (reason: string): unknown => ({ kind: 'refused', reason, epoch: state.epoch })
    const isRepeated = change.type === 'switch' && state.handoff?.epoch === epoch
    if (isRepeated) expect(answer).toEqual({ kind: 'switched', handoff: state.handoff })
    else if (state.epoch !== expectedEpoch) expect(answer).toEqual(refused('epoch'))
    else if (epoch <= highestAborted) expect(answer).toEqual(refused('aborted'))
    else if ((state.draining?.epoch ?? epoch) !== epoch) expect(answer).toEqual(refused('draining'))
    else expect(answer).toMatchObject({ kind: change.type === 'drain' ? 'draining' : 'switched' })
  }
})

always('a switch that is asked for again changes nothing', () => ({ step: { change }, before, after }) => {
  const { draining, handoff } = before.state
  const isAgain =
    (change?.type === 'drain' && draining?.epoch === change.change.epoch) ||
    (change?.type === 'switch' && handoff?.epoch === change.change.epoch)
  if (isAgain) expect({ ...after, nowMs: 0 }).toEqual({ ...before, nowMs: 0 })
})

always('the handoff tells of the cut, and of the first admission of what changed its lane', () => moment => {
  const { step, before, after } = moment
  const { handoff } = after.state
  const former = before.state.handoff
  if (isCut(moment)) {
    const changed = [...before.state.partitions].filter(
      ([partition, { lane }]) => after.state.partitions.get(partition)?.lane !== lane
    )
    expect(handoff?.epoch).toBe(after.state.epoch)
    expect([...(handoff?.frontiers ?? [])]).toEqual(
      [...before.state.partitions].map(([partition, { frontier }]) => [partition, frontier])
    )
    expect([...(handoff?.admittedMs ?? [])]).toEqual(changed.map(([partition]) => [partition, undefined]))
    return
  }
  const { admission } = step
  // One that has its obligation already is told its answer again.
  const isNew = !before.obligations.some(({ id }) => id === admission?.obligation)
  const slices = isNew && isAdmitted(step.answers[0]) ? (admission?.slices ?? []) : []
  const admittedMs = new Map(former?.admittedMs)
  for (const { partition } of slices) {
    if (!admittedMs.has(partition) || admittedMs.get(partition) !== undefined) continue
    const nowMs = handoff?.admittedMs.get(partition)
    expect(nowMs).toBeGreaterThan(former?.cutMs ?? 0)
    admittedMs.set(partition, nowMs)
  }
  expect(handoff).toEqual(former === undefined ? undefined : { ...former, admittedMs })
})

always('a switch counts the documents that it and its drain release, and the jobs that it cancels', () => {
  let drained = 0
  return moment => {
    const { step, before, after } = moment
    if (before.state.draining === undefined) {
      drained = after.state.draining === undefined ? 0 : documentsIn(manifestsIn(before, ['open']))
    }
    if (!isCut(moment) || step.change?.type !== 'switch') return
    const isForced = step.change.change.release === 'unsent'
    const released = manifestsIn(before, isForced ? ['open', 'sealed', 'uploaded'] : ['open'])
    const running = manifestsIn(before, isForced ? ['submitting', 'submitted'] : [])
    const cancelled = running.filter(({ job }) => job?.order !== 'abandon')
    expect(after.state.handoff).toMatchObject({
      released: drained + documentsIn(released),
      cancelled: cancelled.length
    })
    for (const former of manifestsIn(before, ['sealed', 'uploaded', 'submitting', 'submitted', 'terminal'])) {
      if (released.includes(former)) continue
      const order = cancelled.includes(former) ? 'cancel' : former.job?.order
      const now = after.obligations.find(({ id }) => id === former.id)
      expect(now).toEqual({ ...former, job: { ...former.job, order } })
    }
  }
})

function documentsIn(obligations: readonly Pick<Obligation, 'parts'>[]): number {
  return obligations.flatMap(({ parts }) => [...parts.values()]).reduce((sum, count) => sum + count, 0)
}
