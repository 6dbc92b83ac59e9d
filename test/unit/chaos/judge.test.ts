import type { StoredControlRecord, SwitchResult } from '@pointsman/core/ports/control-log'
import { expect, test } from 'vitest'
import type { Audit } from '../../../tools/chaos/audit.ts'
import { type Findings, judge } from '../../../tools/chaos/judge.ts'

const audit: Audit = {
  live: 1_000,
  objects: 1_000,
  lost: [],
  duplicates: [],
  stale: [],
  misassigned: [],
  doublePaid: 0,
  doublePayments: [],
  strangePayments: 0,
  deadLetters: 3,
  deadWithoutReason: [],
  aliveWithPoison: [],
  bill: { realtime: { inputs: 1_000, tokens: 9 }, batch: { jobs: 9, inputs: 900, tokens: 9 } },
  undeliveredLines: 0
}

function control(results: readonly (SwitchResult | undefined)[]): readonly StoredControlRecord[] {
  return results.flatMap((result, index) => {
    const switchId = `switch-${index}`
    const intent = {
      kind: 'intent',
      switchId,
      ledgerId: 'ledger',
      expectedEpoch: index,
      target: 'batch',
      strategy: 'detach',
      share: 1,
      lanes: new Map(),
      before: new Map(),
      defaultLane: 'batch',
      deadlineMs: 1,
      actor: 'test',
      reason: 'test',
      atMs: 1
    } as const
    const ended = { released: 0, cancelled: 0, because: '', actor: 'test', atMs: 1, tookMs: 1 }
    const stored: StoredControlRecord = { offset: BigInt(index * 2), record: intent }
    if (result === undefined) return [stored]
    const outcome = {
      ...ended,
      kind: 'outcome',
      switchId,
      epoch: index,
      result,
      frontiers: new Map()
    } as const
    return [stored, { offset: BigInt(index * 2 + 1), record: outcome }]
  })
}

const good: Findings = {
  seed: 1,
  minutes: 1,
  records: 3_000,
  faults: {
    freeze: 2,
    reset: 2,
    latency: 2,
    bandwidth: 1,
    'redis-kill': 1,
    'kill-embedder': 1,
    'disk-full': 1
  },
  control: control(Array(8).fill('completed')),
  incidents: [{ kind: 'freeze', process: 'embedder-realtime-1', k: 32, by: 'journal' }],
  falls: [],
  uninvitedEnds: [],
  ledgerLives: 1,
  convergedAfterMs: 1_000,
  mended: 0,
  verified: {},
  audit,
  trace: undefined
}

test('a run in which enough happened and nothing was found is good', () => {
  expect(judge(good)).toMatchObject({ problems: [], switches: 8, doublePaidBound: 32, converged: true })
})

const bad: Readonly<Record<string, Partial<Findings>>> = {
  'lost: 1, of them doc-1': { audit: { ...audit, lost: ['doc-1'] } },
  'duplicates: 1, of them doc-1': { audit: { ...audit, duplicates: ['doc-1'] } },
  'stale: 1, of them doc-1': { audit: { ...audit, stale: ['doc-1'] } },
  'misassigned: 1, of them doc-1': { audit: { ...audit, misassigned: ['doc-1'] } },
  'dead letters without a reason: 1, of them doc-1': { audit: { ...audit, deadWithoutReason: ['doc-1'] } },
  'poisoned and alive: 1, of them doc-1': { audit: { ...audit, aliveWithPoison: ['doc-1'] } },
  'fell though it may not: 1, of them epoch: 1 after 2': { falls: ['epoch: 1 after 2'] },
  'switches without an end: 1, of them switch-8': {
    control: control([...Array<SwitchResult>(8).fill('completed'), undefined])
  },
  '2 texts were paid for and never produced': { audit: { ...audit, strangePayments: 2 } },
  '33 payments too many, bound 32: abc: 33': {
    audit: { ...audit, doublePaid: 33, doublePayments: ['abc: 33'] }
  },
  'the specification does not accept line 7': { trace: { transitions: 6, losses: 0, because: 'line 7' } },
  'cannot run: controller-1 exit code 2': { uninvitedEnds: ['controller-1 exit code 2'] },
  'too little happened: 1999 documents, at least 2000': { records: 1_999 },
  'too little happened: 5 switches, at least 6': { control: control(Array(5).fill('completed')) },
  'too little happened: 5 kinds, at least 6': {
    faults: { freeze: 5, reset: 1, latency: 1, bandwidth: 1, 'redis-kill': 1 }
  }
}

test.for(Object.entries(bad))('a run is not good: %s', ([problem, found]) => {
  expect(judge({ ...good, ...found }).problems).toEqual([problem])
})

test('of several outcomes of one switch the first counts', () => {
  const first = control(Array(6).fill('completed'))
  const second = control(Array(6).fill('refused')).filter(({ record }) => record?.kind === 'outcome')
  expect(judge({ ...good, control: [...first, ...second] })).toMatchObject({ switches: 6, problems: [] })
})
