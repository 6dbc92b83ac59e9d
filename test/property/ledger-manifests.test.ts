// What holds of manifests over random histories of the specification, see test/property/ledger.test.ts.
import type { Obligation } from '@pointsman/core/ports/ledger'
import { expect } from 'vitest'
import type { Moment } from '../support/ledger-play.ts'
import { always, needsVector, placeOf } from '../support/ledger-play.ts'

/** What an `advance` may do; a switch alone, or its drain, makes orphans of manifests. */
const lawful = [
  'open sealed',
  'sealed uploaded',
  'uploaded submitting',
  'uploaded sealed',
  'submitting submitted',
  'submitting uploaded',
  'submitting sealed',
  'submitted terminal',
  'submitted uploaded',
  'submitted sealed'
]

always('I9 while a job may run, a part leaves its manifest by being settled alone', () => {
  return ({ before, heldBefore, heldAfter }) => {
    const running = new Set(
      before.obligations.flatMap(({ id, state }) =>
        state === 'submitting' || state === 'submitted' ? [String(id)] : []
      )
    )
    for (const [place, id] of heldBefore) {
      if (running.has(id)) expect(heldAfter.get(place) ?? id).toBe(id)
    }
  }
})

always('I9 what is sealed pays for nothing that it did not pay for when it was sealed', () => {
  const paid = new Map<string, Set<string>>()
  return async ({ ledger, after }) => {
    for (const { id, kind, state } of after.obligations) {
      if (kind !== 'manifest') continue
      if (state === 'open') {
        paid.delete(id)
        continue
      }
      const contents = new Set(
        (await ledger.parts(id)).filter(needsVector).map(({ content }) => String(content))
      )
      const known = paid.get(id)
      if (known === undefined) paid.set(id, contents)
      else for (const content of contents) expect(known).toContain(content)
    }
  }
})

/** States that this step releases manifests from. */
function releasedStates({ step, before, after }: Moment): readonly string[] {
  if (after.state.epoch > before.state.epoch) {
    const isForced = step.change?.type === 'switch' && step.change.change.release === 'unsent'
    return isForced ? ['open', 'sealed', 'uploaded'] : ['open']
  }
  return before.state.draining === undefined && after.state.draining !== undefined ? ['open'] : []
}

always('a manifest goes lawful ways, and ends archived and empty', () => moment => {
  const { step, before, after } = moment
  const released = releasedStates(moment)
  const now = new Map<string, Obligation>(after.obligations.map(obligation => [obligation.id, obligation]))
  const [answer] = step.answers
  for (const former of before.obligations) {
    if (former.kind !== 'manifest') continue
    const later = now.get(former.id)
    if (released.includes(former.state)) {
      if (former.parts.size === 0) expect(later).toBeUndefined()
      else
        expect(later).toMatchObject({ kind: 'orphan', owner: undefined, job: undefined, parts: former.parts })
    } else if (later === undefined) {
      expect(answer).toBe('advanced')
      expect(['open', 'sealed', 'terminal']).toContain(former.state)
      expect(former.parts.size).toBe(0)
    } else {
      expect(later.kind).toBe('manifest')
      if (later.state !== former.state) expect(lawful).toContain(`${former.state} ${later.state}`)
    }
  }
})

always('a job is remembered when its manifest is archived', () => async moment => {
  const { ledger, before, after } = moment
  const released = releasedStates(moment)
  const ended = before.obligations.filter(
    ({ id, job }) => (job?.creates ?? 0) > 0 && !after.obligations.some(obligation => obligation.id === id)
  )
  const lost = ended.filter(({ state }) => !released.includes(state))
  const remembered = (await ledger.pastJobs(1000)).map(({ manifest }) => manifest)
  for (const { id } of lost) expect(remembered[0]).toBe(id)
  expect(remembered).toHaveLength(after.counts.jobs)
})

always('failures of a part never fall, and stay below sixteen', () => {
  const known = new Map<string, number>()
  return ({ parts }) => {
    for (const part of parts) {
      expect(part.failures).toBeGreaterThanOrEqual(known.get(placeOf(part)) ?? 0)
      expect(part.failures).toBeLessThan(16)
      known.set(placeOf(part), part.failures)
    }
  }
})
