// The invariants of docs/protocol.md over random histories of the specification, judged after every command. Redis is
// held to the specification by test/integration/ledger-model.test.ts.
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryLedgerServer } from '@pointsman/core/adapters/memory/ledger-server'
import type { Part } from '@pointsman/core/ports/ledger'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contents, docKeys, histories } from '../support/ledger-commands.ts'
import { drainLedger } from '../support/ledger-drain.ts'
import { isAdmitted, LedgerHistory } from '../support/ledger-history.ts'
import { always, needsVector, placeOf } from '../support/ledger-play.ts'

const objectOf = ({ docKey, generation }: Part): string => `${docKey} ${generation}`

always('I1 an offset is admitted once, at its frontier, in its lane and epoch', () => {
  const admitted = new Map<string, unknown>()
  return ({ step, before, after }) => {
    const [answer] = step.answers
    if (step.admission === undefined || !isAdmitted(answer)) return
    const { epoch, lane, obligation, slices } = step.admission
    if (admitted.has(obligation)) {
      expect(answer).toEqual(admitted.get(obligation))
      return
    }
    admitted.set(obligation, answer)
    for (const { partition, from, to } of slices) {
      expect(before.state.partitions.get(partition)).toEqual({ lane, frontier: from })
      expect(after.state.partitions.get(partition)?.frontier).toBe(to)
    }
    expect(before.state.epoch).toBe(epoch)
  }
})

always('I1 only an admission moves a frontier', () => ({ step, before, after }) => {
  const [answer] = step.answers
  if (step.admission !== undefined && isAdmitted(answer)) return
  for (const [partition, { frontier }] of before.state.partitions) {
    expect(after.state.partitions.get(partition)?.frontier).toBe(frontier)
  }
})

always('I2 every unsettled offset is in one obligation, and W is the lowest', () => ({ after, parts }) => {
  expect(new Set(parts.map(placeOf)).size).toBe(parts.length)
  for (const [partition, { watermark, frontier, unsettled }] of after.progress) {
    const offsets = parts.filter(part => part.partition === partition).map(part => part.offset)
    const lowest = offsets.reduce((least, offset) => (offset < least ? offset : least), frontier)
    expect({ watermark, unsettled }).toEqual({ watermark: lowest, unsettled: offsets.length })
  }
  for (const { kind, parts: counts } of after.obligations) {
    if (kind !== 'manifest') expect(counts.size).toBeGreaterThan(0)
  }
})

always('I2 an obligation counts the parts that it has', () => async ({ ledger, after }) => {
  for (const { id, parts: counts } of after.obligations) {
    const counted = new Map<number, number>()
    for (const { partition } of await ledger.parts(id)) {
      counted.set(partition, (counted.get(partition) ?? 0) + 1)
    }
    expect(counts).toEqual(counted)
  }
})

always(
  'I2 every document that is open has the part of its newest content',
  () =>
    async ({ ledger, parts }) => {
      const latest = await ledger.latest(docKeys)
      for (const [index, entry] of latest.entries()) {
        if (entry?.status !== 'open') continue
        const holders = parts.filter(
          part =>
            part.docKey === docKeys[index] &&
            part.generation === entry.generation &&
            part.content?.slice(8) === entry.content
        )
        expect(holders).toHaveLength(1)
      }
    }
)

always('I3 W never falls, nor does the epoch', () => ({ before, after }) => {
  expect(after.state.epoch).toBeGreaterThanOrEqual(before.state.epoch)
  for (const [partition, { watermark }] of before.progress) {
    const now = after.progress.get(partition)
    expect(now).toBeDefined()
    expect(now!.watermark).toBeGreaterThanOrEqual(watermark)
    expect(now!.frontier).toBeGreaterThanOrEqual(now!.watermark)
  }
})

always('I4 nothing is indexed or processed that was not settled as such', () => {
  const settled = { objects: new Set<string>(), contents: new Set<string>() }
  let holding = new Map<string, Part>()
  return async ({ ledger, before, after, parts }) => {
    const gone = new Map(holding)
    for (const part of parts) gone.delete(placeOf(part))
    const rose = after.counts.indexed + after.counts.deleted > before.counts.indexed + before.counts.deleted
    for (const part of rose ? gone.values() : []) {
      settled.objects.add(objectOf(part))
      if (part.content !== undefined) settled.contents.add(part.content)
    }
    holding = new Map(parts.map(part => [placeOf(part), part]))

    for (const [index, entry] of (await ledger.latest(docKeys)).entries()) {
      if (entry?.status !== 'indexed') continue
      expect(settled.objects).toContain(`${docKeys[index]} ${entry.generation}`)
    }
    for (const [index, isProcessed] of (await ledger.processed(contents)).entries()) {
      if (isProcessed) expect(settled.contents).toContain(contents[index])
    }
  }
})

always('I5 a vector is obtained in one place by one part', () => async ({ ledger, after }) => {
  const payers = new Map<string, string>()
  for (const { id } of after.obligations) {
    const parts = (await ledger.parts(id)).filter(needsVector)
    for (const { content, action } of parts) {
      const key = String(content)
      expect(payers.get(key) ?? id).toBe(id)
      payers.set(key, id)
      const obtaining = parts.filter(part => part.content === content && part.action !== 'share')
      if (action !== 'share') expect(obtaining).toHaveLength(1)
    }
  }
})

always('I6 an object is named once: never two contents under one generation of a document', () => {
  const named = new Map<string, Part>()
  return ({ parts }) => {
    for (const part of parts) {
      const former = named.get(objectOf(part)) ?? part
      expect(part.content).toBe(former.content)
      expect(placeOf(part)).toBe(placeOf(former))
      named.set(objectOf(part), part)
    }
  }
})

always(
  'I8 nothing is admitted with another epoch, in a foreign lane, while draining or paused, or by an unknown life',
  () => {
    const known = new Set<string>()
    return ({ step, before }) => {
      const [answer] = step.answers
      if (step.admission === undefined || !isAdmitted(answer)) return
      const { epoch, lane, owner, obligation, slices } = step.admission
      if (known.has(obligation)) return
      known.add(obligation)
      const { state, instances } = before
      expect({ epoch, draining: undefined, pause: undefined }).toEqual({
        epoch: state.epoch,
        draining: state.draining,
        pause: state.pause
      })
      for (const { partition } of slices) expect(state.partitions.get(partition)?.lane).toBe(lane)
      expect(instances.map(instance => instance.owner)).toContain(owner)
    }
  }
)

always('I8 no orphan is adopted before its time, while draining or paused', () => ({ before, after }) => {
  const adopted = before.obligations.filter(
    ({ id, kind }) =>
      kind === 'orphan' && after.obligations.some(later => later.id === id && later.kind === 'request')
  )
  for (const { notBeforeMs } of adopted) {
    expect(before.state).toMatchObject({ draining: undefined, pause: undefined })
    expect(after.nowMs).toBeGreaterThanOrEqual(notBeforeMs)
  }
})

always('what is refused or only asked changes nothing', () => ({ step, before, after }) => {
  // That a drain is answered with what an admission is refused with is no refusal.
  if (step.change?.type === 'drain' && before.state.draining === undefined) return
  const [answer] = step.answers
  const kind = typeof answer === 'object' && answer !== null && 'kind' in answer ? String(answer.kind) : ''
  const refusals = [
    'fenced',
    'paused',
    'draining',
    'behind',
    'unregistered',
    'refused',
    'gone',
    'closed',
    'held'
  ]
  const isRefusal = ['gone', 'refused', 'passed', false].some(refusal => refusal === answer)
  if (!refusals.includes(kind) && !isRefusal) return
  expect({ ...after, nowMs: 0 }).toEqual({ ...before, nowMs: 0 })
})

always('every document that was admitted is counted under its verdict', () => ({ after }) => {
  const { counts } = after
  const verdicts = ['unchanged', 'covered', 'superseded', 'embed', 'copy', 'share', 'delete'] as const
  expect(verdicts.reduce((sum, name) => sum + counts[name], 0)).toBe(counts.admitted)
  const settled = counts.indexed + counts.deleted + counts.skipped + counts.dead
  const parts = counts.embed + counts.copy + counts.share + counts.delete
  const open = [...after.progress.values()].reduce((sum, { unsettled }) => sum + unsettled, 0)
  expect(parts - settled).toBe(open)
})

test('L1 whatever happened, healthy owners finish everything, and W reaches the frontier', async () => {
  await fc.assert(
    fc.asyncProperty(histories(60), async commands => {
      let nowMs = 0
      const ledger = new MemoryLedger(new MemoryLedgerServer(() => nowMs))
      await ledger.open('realtime')
      const history = new LedgerHistory(ledger)
      for (const command of commands) await history.step(command)
      nowMs += 7_200_000
      await drainLedger(ledger)

      const { obligations, progress } = await ledger.survey()
      expect(obligations).toEqual([])
      for (const { watermark, frontier, unsettled } of progress.values()) {
        expect({ watermark, unsettled }).toEqual({ watermark: frontier, unsettled: 0 })
      }
      for (const entry of await ledger.latest(docKeys)) expect(entry?.status).not.toBe('open')
    }),
    { numRuns: 150, interruptAfterTimeLimit: 4_000 }
  )
})
