// Who may have what, over random histories of the specification; see test/property/ledger.test.ts.
import type { Part, SettleReply } from '@pointsman/core/ports/ledger'
import { expect } from 'vitest'
import { isAdmitted } from '../support/ledger-history.ts'
import { always, placeOf } from '../support/ledger-play.ts'

always('nobody takes what belongs to a life that has its lease', () => ({ before, after }) => {
  const alive = new Set(
    before.instances.flatMap(({ leaseUntilMs, owner }) => (leaseUntilMs > after.nowMs ? [owner] : []))
  )
  for (const { id, owner } of before.obligations) {
    if (owner === undefined || !alive.has(owner)) continue
    // A switch makes orphans of manifests; nobody has them then.
    const later = after.obligations.find(obligation => obligation.id === id)
    expect(later?.owner ?? owner).toBe(owner)
  }
})

always('an orphan is adopted in the lane of its lowest partition, with the current epoch', () => {
  return ({ step: { command, answers }, before, after }) => {
    if (command.type !== 'takeover') return
    const adopted = before.obligations.find(({ id, kind }) => {
      return kind === 'orphan' && after.obligations.some(later => later.id === id && later.kind !== 'orphan')
    })
    if (adopted === undefined) return
    const lowest = Math.min(...adopted.parts.keys())
    expect(answers[0]).toMatchObject({ kind: 'taken' })
    expect(command).toMatchObject({
      epochBehind: 0,
      lane: before.state.partitions.get(lowest)?.lane
    })
  }
})

always('nothing is settled as indexed that a newer content supersedes', () => {
  let held = new Map<string, Part>()
  return async ({ ledger, before, after, parts }) => {
    const left = new Map(parts.map(part => [placeOf(part), part]))
    const settled = [...held].flatMap(([place, part]) => (left.has(place) ? [] : part))
    held = left
    const latest = await ledger.latest(settled.map(({ docKey }) => docKey))
    const current = settled.filter(({ generation }, index) => (latest[index]?.generation ?? 0) <= generation)
    expect(after.counts.indexed - before.counts.indexed).toBeLessThanOrEqual(current.length)
  }
})

always('whoever settles is told of the parts that joined, until these are settled', () => {
  const joined = new Map<string, string>()
  return ({ step, before, after, heldBefore, heldAfter }) => {
    const [answer] = step.answers
    for (const [place, id] of joined) {
      const [former, later] = [before, after].map(({ obligations }) => obligations.find(one => one.id === id))
      // Who takes it over is told all of it.
      if (heldAfter.get(place) !== id || former?.owner !== later?.owner) joined.delete(place)
    }
    const gone = [...heldBefore.keys()].find(place => !heldAfter.has(place))
    if (gone !== undefined && isSettled(answer)) {
      const told = answer.more.map(placeOf)
      for (const [place, id] of joined) if (id === heldBefore.get(gone)) expect(told).toContain(place)
    }
    if (step.admission === undefined || !isAdmitted(answer)) return
    for (const [s, { candidates, partition }] of step.admission.slices.entries()) {
      for (const [c, { offset }] of candidates.entries()) {
        const place = placeOf({ partition, offset })
        const payer = heldAfter.get(place)
        const isNew = !heldBefore.has(place)
        if (isNew && payer && answer.verdicts[s]?.[c]?.kind === 'elsewhere') joined.set(place, payer)
      }
    }
  }
})

function isSettled(answer: unknown): answer is SettleReply {
  return typeof answer === 'object' && answer !== null && 'more' in answer
}
