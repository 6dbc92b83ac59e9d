// Mends what a comparison has found, one small group of documents after the other. Each is looked at again first, and
// what the ledger says is changed by compare-and-set only, so that a repair may be interrupted, repeated, run twice at
// once, and run while documents move. Nothing is indexed here: what has to be indexed is sent through the log again.

import type { ObjectHead } from '@pointsman/core/ports/vector-store'
import { docKey } from '@pointsman/core/runtime/identity'
import { type Comparison, compare, type CompareOptions } from './compare.ts'
import { lookAt } from './look-at.ts'
import { NewerRecords } from './newer-records.ts'
import { planRepair, type RepairPlan } from './plan-repair.ts'
import type { Stray } from './read-index.ts'
import { RepairTally } from './repair-tally.ts'
import { hasItsOwnId, isSameLatest, removable, standingOf } from './standing.ts'
import type { RepairDeps } from './verify-deps.ts'
import type { VerifyReport } from './verify-report.ts'

export interface RepairOptions extends CompareOptions {
  /** Objects that neither log nor ledger knows are removed, however many they are. */
  readonly removeUnknown: boolean
}

const atOnce = 200
/** More unknown objects than this, or than a hundredth of the index, are not ours to judge. */
const fewUnknown = 100
const unknownShare = 0.01

interface Work {
  readonly deps: RepairDeps
  readonly compared: Comparison
  readonly newer: NewerRecords
  readonly tally: RepairTally
  readonly onDone: (count: number) => void
}

/**
 * Compares, mends, and compares again.
 * @returns the second report, with what was done; the first when it found nothing.
 * @throws {Failure} of the ports; `LEDGER_REBUILDING` when the ledger was lost meanwhile. What is done stays done.
 */
export async function repair(
  deps: RepairDeps,
  options: RepairOptions,
  signal: AbortSignal
): Promise<VerifyReport> {
  const compared = await compare(deps, options, signal)
  const { report, strays, suspects, unlettered } = compared
  if (report.consistent) return report

  const total = suspects.length + strays.length + unlettered.length
  let done = 0
  options.onProgress({ phase: 'repair', done, total })
  const work: Work = {
    deps,
    compared,
    newer: new NewerRecords(deps, compared.bounds),
    tally: new RepairTally(options.examples),
    onDone: count => options.onProgress({ phase: 'repair', done: (done += count), total })
  }
  await mendDocuments(work, signal)
  await mendStrays(work, options.removeUnknown, signal)
  await writeLetters(work, signal)

  const { lost, missing, duplicate, stale, surplus, mismatch } = report.differences
  const found = {
    lost: lost.count,
    missing: missing.count,
    duplicate: duplicate.count,
    stale: stale.count,
    surplus: surplus.count,
    mismatch: mismatch.count
  }
  const after = await compare(deps, options, signal)
  return { ...after.report, repair: work.tally.report(found) }
}

async function mendDocuments(work: Work, signal: AbortSignal): Promise<void> {
  const { compared, deps, newer, onDone, tally } = work
  const { suspects, table } = compared
  for (let first = 0; first < suspects.length; first += atOnce) {
    const some = suspects.slice(first, first + atOnce)
    const looks = await lookAt(deps, table, some, signal)
    await newer.read(signal)
    const planned = looks.flatMap(look => {
      const { facts, place } = look.suspect
      const { docId, record } = look.found ?? { docId: placeOf(facts.newest), record: undefined }
      if (!look.isSteady) {
        tally.leave('moved', docId)
        return []
      }
      const { heads, latest } = look
      const isInLog = record !== undefined
      const plan = planRepair({ ...facts, docKey: table.key(place), latest, heads, isInLog })
      const isOvertaken = plan.requeue === true && newer.has(docId)
      if (isOvertaken) tally.leave('moved', docId)
      else if (plan.left !== undefined) tally.leave(plan.left, docId)
      return [{ plan: isOvertaken ? { remove: plan.remove } : plan, docId, record }]
    })
    const made = await correct(
      work,
      planned.map(({ plan }) => plan)
    )
    const requeued = planned.flatMap(({ docId, plan, record }, index) => {
      if (made[index] === false) tally.leave('moved', docId)
      return plan.requeue === true && made[index] !== false && record !== undefined ? [record] : []
    })
    // After the correction: as long as L calls it indexed, nothing of its record is admitted.
    if (requeued.length > 0) await deps.letters.repeat(requeued, signal)
    tally.requeued += requeued.length
    const ids = planned.flatMap(({ plan }) => plan.remove)
    if (ids.length > 0) await deps.store.remove(ids, signal)
    tally.removed += ids.length
    onDone(some.length)
  }
}

/** Of each plan, whether its correction was made; undefined where there is none. */
async function correct(
  { deps, tally }: Work,
  plans: readonly Pick<RepairPlan, 'correction'>[]
): Promise<readonly (boolean | undefined)[]> {
  const corrections = plans.flatMap(({ correction }) => (correction === undefined ? [] : [correction]))
  if (corrections.length === 0) return plans.map(() => undefined)
  const answers = await deps.ledger.correct(corrections)
  tally.corrected += answers.filter(Boolean).length
  let next = 0
  return plans.map(({ correction }) => (correction === undefined ? undefined : answers[next++]))
}

async function mendStrays(work: Work, removeUnknown: boolean, signal: AbortSignal): Promise<void> {
  const { compared, deps, newer, onDone, tally } = work
  const { report, strays } = compared
  const unknown = strays.filter(({ isUnknown }) => isUnknown).length
  const mayGo = removeUnknown || unknown <= Math.max(fewUnknown, report.index.objects * unknownShare)
  for (let first = 0; first < strays.length; first += atOnce) {
    const some = strays.slice(first, first + atOnce)
    const keys = some.map(({ head }) => docKey(head.docId))
    const before = await deps.ledger.latest(keys)
    const heads = await deps.store.heads([...new Set(some.map(({ head }) => head.docId))], signal)
    const after = await deps.ledger.latest(keys)
    await newer.read(signal)
    // What was listed is believed: a Weaviate that was killed may not find it by its document.
    const all = new Map([...some.map(({ head }) => head), ...heads].map(head => [head.id, head]))
    const byName = Map.groupBy(all.values(), ({ docId }) => docId)

    const ids = some.flatMap(({ head }, index): readonly Stray['head']['id'][] => {
      const { docId, id } = head
      const siblings = byName.get(docId) ?? []
      if (!hasItsOwnId(head)) return [id]
      const latest = after[index]
      const leave = (reason: Parameters<RepairTally['leave']>[0]): [] => {
        tally.leave(reason, docId)
        return []
      }
      if (!isSameLatest(before[index], latest) || newer.has(docId)) return leave('moved')
      if (latest === undefined) return mayGo ? [id] : leave('unknown')
      const standing = standingOf(latest, siblings)
      const isHead = (sibling: ObjectHead): boolean => sibling.id === id
      if (removable(latest, standing).some(isHead)) return [id]
      return leave(standing.ahead.some(isHead) ? 'ahead' : 'expired')
    })
    if (ids.length > 0) await deps.store.remove(ids, signal)
    tally.removed += ids.length
    onDone(some.length)
  }
}

/** To produce these again would make one more record that nobody can read. */
async function writeLetters({ compared, deps, onDone, tally }: Work, signal: AbortSignal): Promise<void> {
  const { clock, codec, letters, ranges } = deps
  for (const { offset, partition } of compared.unlettered) {
    const { records } = await ranges.read(partition, [offset], signal)
    for (const record of records) {
      const { key, value } = record
      const decoded = await codec.decode(record)
      if (decoded.kind !== 'unreadable') continue
      const reason = `${decoded.reason} (its letter was missing)`
      const letter = { partition, offset, key, value, reason, attempts: 0, atMs: clock.nowMs() }
      await letters.write([letter], signal)
      tally.lettered += 1
    }
    onDone(1)
  }
}

function placeOf({ offset, partition }: { readonly offset: number; readonly partition: number }): string {
  return `(record ${offset} of partition ${partition}, expired by now)`
}
