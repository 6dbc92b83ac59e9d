import type { Opened, SwitchIntent, SwitchOutcome } from '@pointsman/core/ports/control-log'

/** What could break out of JSON, a log line, a terminal or a page, or be lost on the way. */
export const hostileText =
  '"}\n{"format":1}\\ \u0000\u001b[2J\u2028 </script> ${1} %s 転轍機 👩‍🔧 e\u0301 \u202e \ud800 \uffff \ufeff'

export function anOpened(fields: Partial<Opened> = {}): Opened {
  return {
    kind: 'opened',
    ledgerId: 'ledger-1',
    lane: 'realtime',
    because: '',
    atMs: 1_753_000_000_000,
    ...fields
  }
}

export function anIntent(switchId: string, fields: Partial<SwitchIntent> = {}): SwitchIntent {
  return {
    kind: 'intent',
    switchId,
    ledgerId: 'ledger-1',
    expectedEpoch: 1,
    target: 'batch',
    strategy: 'detach',
    share: 1,
    lanes: new Map([
      [0, 'batch'],
      [11, 'batch']
    ]),
    before: new Map([
      [0, 'realtime'],
      [11, 'realtime']
    ]),
    defaultLane: 'batch',
    deadlineMs: 600_000,
    actor: 'somebody',
    reason: 'a test',
    atMs: 1_753_000_000_001,
    ...fields
  }
}

export function anOutcome(switchId: string, fields: Partial<SwitchOutcome> = {}): SwitchOutcome {
  return {
    kind: 'outcome',
    switchId,
    epoch: 2,
    result: 'completed',
    because: 'the cut was made',
    actor: 'somebody',
    atMs: 1_753_000_000_002,
    tookMs: 1.5,
    frontiers: new Map([
      [0, 0n],
      [11, 2n ** 63n - 1n]
    ]),
    released: 7,
    cancelled: 0,
    ...fields
  }
}
