// From everything that was found to one line, and whether it is good. A run in which too little happened proves nothing, and
// counts as failed.

import type { StoredControlRecord } from '@pointsman/core/ports/control-log'
import type { Audit } from './audit.ts'
import type { Incident } from './incidents.ts'
import type { TraceVerdict } from './trace.ts'

export interface Findings {
  readonly seed: number
  readonly minutes: number
  readonly records: number
  readonly faults: Readonly<Record<string, number>>
  readonly control: readonly StoredControlRecord[]
  readonly incidents: readonly Incident[]
  readonly falls: readonly string[]
  readonly uninvitedEnds: readonly string[]
  readonly ledgerLives: number
  readonly convergedAfterMs: number
  /** Documents that Weaviate had lost when it was killed, and that a repair brought back. */
  readonly mended: number
  /** Differences that `pointsman verify` found before any repair, by kind. */
  readonly verified: Readonly<Record<string, number>>
  readonly audit: Audit
  /** Of the ledger's transitions, if they were written down. */
  readonly trace: TraceVerdict | undefined
}

export interface ChaosResult extends Readonly<Record<string, unknown>> {
  readonly problems: readonly string[]
}

interface Minimum {
  readonly documents: number
  readonly switches: number
  readonly faults: number
  readonly kinds: number
}

/** Of a run of so many minutes. */
function minimumOf(minutes: number): Minimum {
  return {
    documents: 2_000 * minutes,
    switches: 6 * minutes,
    faults: 6 * minutes,
    kinds: Math.min(8, 4 + 2 * minutes)
  }
}

const shown = 5

export function judge(findings: Findings): ChaosResult {
  const {
    audit,
    control,
    falls,
    faults,
    incidents,
    ledgerLives,
    minutes,
    records,
    seed,
    trace,
    uninvitedEnds
  } = findings
  const switches = switchesOf(control)
  const faultCount = Object.values(faults).reduce((sum, count) => sum + count, 0)
  const kinds = Object.values(faults).filter(count => count > 0).length
  const doublePaidBound = incidents.reduce((sum, { k }) => sum + k, 0)
  const least = minimumOf(minutes)
  const { bill, live, objects } = audit
  const lists = {
    lost: audit.lost,
    duplicates: audit.duplicates,
    stale: audit.stale,
    misassigned: audit.misassigned,
    'dead letters without a reason': audit.deadWithoutReason,
    'poisoned and alive': audit.aliveWithPoison,
    'fell though it may not': falls,
    'switches without an end': switches.unended
  }
  const problems = [
    ...Object.entries(lists).flatMap(([what, found]) =>
      found.length === 0 ? [] : `${what}: ${found.length}, of them ${found.slice(0, shown).join(', ')}`
    ),
    ...(audit.strangePayments > 0 ? [`${audit.strangePayments} texts were paid for and never produced`] : []),
    ...(audit.doublePaid > doublePaidBound
      ? [
          `${audit.doublePaid} payments too many, bound ${doublePaidBound}: ${audit.doublePayments.slice(0, shown).join(', ')}`
        ]
      : []),
    ...(trace?.because === undefined ? [] : [`the specification does not accept ${trace.because}`]),
    ...uninvitedEnds.filter(end => end.endsWith('exit code 2')).map(end => `cannot run: ${end}`),
    ...Object.entries({
      documents: records,
      switches: switches.completed,
      faults: faultCount,
      kinds
    }).flatMap(([what, count]) => {
      const needed = Object.entries(least).find(([name]) => name === what)?.[1] ?? 0
      return count < needed ? [`too little happened: ${count} ${what}, at least ${needed}`] : []
    })
  ]
  return {
    seed,
    minutes,
    documents: records,
    live,
    objects,
    switches: switches.completed,
    switchesAborted: switches.aborted,
    switchesRefused: switches.refused,
    faults,
    faultsTotal: faultCount,
    faultKinds: kinds,
    lost: audit.lost.length,
    duplicates: audit.duplicates.length,
    stale: audit.stale.length,
    misassigned: audit.misassigned.length,
    doublePaid: audit.doublePaid,
    doublePaidBound,
    incidents: incidents.length,
    paidInputs: bill.realtime.inputs + bill.batch.inputs,
    jobs: bill.batch.jobs,
    deadLetters: audit.deadLetters,
    ledgerLives,
    mended: findings.mended,
    verified: findings.verified,
    ...(trace === undefined ? {} : { transitions: trace.transitions }),
    uninvitedEnds,
    falls: falls.length,
    converged: true,
    convergedAfterSeconds: Math.round(findings.convergedAfterMs / 100) / 10,
    problems
  }
}

interface SwitchCounts {
  readonly completed: number
  readonly aborted: number
  readonly refused: number
  readonly unended: readonly string[]
}

/** Of several outcomes of one switch the first counts. */
function switchesOf(control: readonly StoredControlRecord[]): SwitchCounts {
  const begun = new Set<string>()
  const ended = new Map<string, string>()
  for (const { record } of control) {
    if (record?.kind === 'intent') begun.add(record.switchId)
    if (record?.kind === 'outcome' && !ended.has(record.switchId)) ended.set(record.switchId, record.result)
  }
  const count = (result: string): number => [...ended.values()].filter(each => each === result).length
  return {
    completed: count('completed'),
    aborted: count('aborted'),
    refused: count('refused'),
    unended: [...begun].filter(switchId => !ended.has(switchId))
  }
}
