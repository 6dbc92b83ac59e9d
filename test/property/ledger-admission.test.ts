// What an admission answers, over random histories of the specification; see test/property/ledger.test.ts.
import type { Verdict } from '@pointsman/core/ports/ledger'
import { expect } from 'vitest'
import { isAdmitted } from '../support/ledger-history.ts'
import { always } from '../support/ledger-play.ts'

const isWork = ({ kind }: Verdict): boolean => kind === 'part' || kind === 'elsewhere'

always(
  'an older version than the newest admitted is nothing to do, one as new with another content is',
  () => {
    const newest = new Map<string, { readonly version: number; readonly content: string | undefined }>()
    const judged = new Set<string>()
    return ({ step }) => {
      const [answer] = step.answers
      if (step.admission === undefined || !isAdmitted(answer) || judged.has(step.admission.obligation)) return
      judged.add(step.admission.obligation)
      for (const [s, { candidates }] of step.admission.slices.entries()) {
        for (const [c, { content, docKey, version }] of candidates.entries()) {
          const verdict = answer.verdicts[s]![c]!
          const known = newest.get(docKey)
          expect(verdict.kind === 'superseded').toBe(known !== undefined && version < known.version)
          if (verdict.kind === 'superseded') continue
          if (known === undefined || known.content !== content) expect(isWork(verdict)).toBe(true)
          newest.set(docKey, { version, content })
        }
      }
    }
  }
)

always('whoever repeats an admission whose work it still has is answered as before', () => {
  const answered = new Map<string, { readonly answer: unknown; readonly owner: string }>()
  return ({ step, before, after }) => {
    const { admission } = step
    const [answer] = step.answers
    if (admission !== undefined) {
      const former = answered.get(admission.obligation)
      const isThere = before.obligations.some(({ id }) => id === admission.obligation)
      if (former !== undefined && isThere && former.owner === admission.owner) {
        expect(answer).toEqual(former.answer)
      } else if (former === undefined && isAdmitted(answer)) {
        answered.set(admission.obligation, { answer, owner: admission.owner })
      }
    }
    // What somebody else has taken over since is not the first one's to repeat.
    for (const { id, owner } of after.obligations) {
      const former = answered.get(id)
      if (former !== undefined && former.owner !== owner) answered.set(id, { ...former, owner: '' })
    }
  }
})
