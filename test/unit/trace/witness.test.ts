// The witness is shown what a wrong ledger would have answered, whatever any specification says of it.
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryLedgerServer } from '@pointsman/core/adapters/memory/ledger-server'
import type { TracedMethod } from '@pointsman/core/adapters/redis/trace'
import type { Admission, Ledger, Part } from '@pointsman/core/ports/ledger'
import { beforeEach, expect, test } from 'vitest'
import { isStep, type TracedStep } from '../../../tools/trace/traced-step.ts'
import { Witness } from '../../../tools/trace/witness.ts'
import { candidateOf, LedgerScene } from '../../support/ledger-scene.ts'

let witness: Witness
let scene: LedgerScene
beforeEach(async () => {
  witness = new Witness()
  const ledger = new MemoryLedger(new MemoryLedgerServer(() => 1))
  const seen = new Proxy<Ledger>(ledger, {
    get:
      (target, name: keyof Ledger) =>
      async (...args: unknown[]): Promise<unknown> => {
        const answer: unknown = await Reflect.apply(target[name], target, args)
        expect(see(name, args, answer)).toBeUndefined()
        return answer
      }
  })
  scene = await LedgerScene.open(seen)
})

function see(method: string, args: readonly unknown[], answer: unknown): string | undefined {
  const step = { method, args, answer }
  return isStep(step) ? witness.see(step) : undefined
}

/** What the witness says of a call that a wrong ledger answers. */
function wrongly<Method extends TracedMethod>(
  method: Method,
  args: Extract<TracedStep, { method: Method }>['args'],
  answer: Extract<TracedStep, { method: Method }>['answer']
): string | undefined {
  return see(method, args, answer)
}

function admissionOf(conditions: Partial<Admission> & { from?: bigint; partition?: number }): Admission {
  const { from = 0n, partition = 0, ...rest } = conditions
  const slices = [
    { partition, from, to: from + 1n, candidates: [candidateOf({ doc: 'x', text: 'X' }, from)] }
  ]
  const obligation = scene.newId()
  return { epoch: 1, lane: 'realtime', owner: scene.owner, obligation, slices, ...rest }
}

const admitted = {
  kind: 'admitted',
  verdicts: [[{ kind: 'part', action: 'embed', generation: 1, replaces: false }]]
} as const

async function partsOf(text: string): Promise<readonly Part[]> {
  const { obligation } = await scene.admit([{ doc: text, text }])
  return scene.ledger.parts(obligation)
}

test('I1: an admission that leaves a gap, or overlaps the one before', async () => {
  await scene.admit([
    { doc: 'a', text: 'A' },
    { doc: 'b', text: 'B' }
  ])
  expect(wrongly('admit', [admissionOf({ from: 3n })], admitted)).toMatch('I1')
  const slices = [{ partition: 0, from: 1n, to: 3n, candidates: [] }]
  expect(wrongly('admit', [admissionOf({ slices })], { kind: 'admitted', verdicts: [[]] })).toMatch('I1')
})

test('I1: an answer that is repeated is none', async () => {
  const { admission, reply } = await scene.admit([{ doc: 'a', text: 'A' }])
  expect(wrongly('admit', [admission], reply)).toBeUndefined()
})

test('I1: a frontier that has moved without an admission', () => {
  expect(wrongly('openPartition', [0, 9n], { lane: 'realtime', frontier: 9n })).toMatch('I1')
})

test('I2: a part that is settled twice, or was never admitted', async () => {
  const [part] = await partsOf('A')
  const outcomes = [{ part: part!, settlement: 'indexed' }] as const
  const settled = { answers: [{ kind: 'settled' }], more: [] } as const
  expect(wrongly('settle', [scene.newId(), scene.owner, outcomes, 0], settled)).toBeUndefined()
  expect(wrongly('settle', [scene.newId(), scene.owner, outcomes, 0], settled)).toMatch('I2')
})

test('I3: a W that passes an unsettled offset, lies beyond A, or falls', async () => {
  const [part] = await partsOf('A')
  expect(wrongly('watermarks', [], new Map([[0, 1n]]))).toMatch('I3')
  const outcomes = [{ part: part!, settlement: 'indexed' }] as const
  wrongly('settle', [scene.newId(), scene.owner, outcomes, 0], { answers: [{ kind: 'settled' }], more: [] })
  expect(wrongly('watermarks', [], new Map([[0, 2n]]))).toMatch('I3')
  expect(wrongly('watermarks', [], new Map([[0, 1n]]))).toBeUndefined()
  expect(wrongly('watermarks', [], new Map([[0, 0n]]))).toMatch('I3')
})

test('I3: an epoch that falls', async () => {
  const { ledger } = scene
  const change = { lanes: new Map(), defaultLane: 'batch', release: 'open' } as const
  const switched = await ledger.switchLanes({ ...change, expectedEpoch: 1, epoch: 7 })
  const older = { ...change, expectedEpoch: 1, epoch: 3 }
  expect(wrongly('switchLanes', [older], switched)).toMatch('I3')
  expect(wrongly('endRebuild', [{ epoch: 7, defaultLane: 'batch', partitions: new Map() }], true)).toMatch(
    'I3'
  )
})

test('I8: admitted with an old epoch, in another lane, while draining or paused', async () => {
  expect(wrongly('admit', [admissionOf({ epoch: 2 })], admitted)).toMatch('I8')
  expect(wrongly('admit', [admissionOf({ lane: 'batch' })], admitted)).toMatch('I8')
  await scene.ledger.pause(1, 'store is away', 'test')
  expect(wrongly('admit', [admissionOf({})], admitted)).toMatch('I8')
  await scene.ledger.resume(1)
  await scene.ledger.drain({ expectedEpoch: 1, epoch: 2 })
  expect(wrongly('admit', [admissionOf({})], admitted)).toMatch('I8')
  await scene.ledger.abortSwitch(2)
  expect(wrongly('admit', [admissionOf({})], admitted)).toBeUndefined()
})

test.each(['submitting', 'submitted'] as const)(
  'I9: a part that leaves a manifest which is %s',
  async state => {
    const manifest = scene.newId()
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
    await scene.bringTo(manifest, state)
    const parts = await scene.ledger.parts(manifest)
    const to = { id: scene.newId(), kind: 'orphan' } as const
    const fields = { reason: '', delayMs: 0, attempts: 0, failures: 0 }
    expect(wrongly('move', [manifest, scene.owner, parts, to, fields], { kind: 'moved', parts })).toMatch(
      'I9'
    )
  }
)
