import { batchRecordSchema, showBatch } from '@pointsman/local-openai/batches/batch-record'
import type { BatchRecord } from '@pointsman/local-openai/batches/batch-record'
import { nextStep } from '@pointsman/local-openai/batches/next-step'
import type { Step } from '@pointsman/local-openai/batches/next-step'
import { planBatch, turnaroundSchema } from '@pointsman/local-openai/batches/turnaround'
import { SeededRandom } from '@pointsman/local-openai/seeded-random'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const createdMs = 1_700_000_000_000
const windowMs = 86_400_000
const sound = { errors: [], lines: 1000, tokens: 5000, model: 'text-embedding-3-small' }
const flawed = { ...sound, errors: [{ code: 'x', message: 'x', line: 1, param: null }] }

function record(given: Partial<BatchRecord>): BatchRecord {
  return batchRecordSchema.parse({
    id: 'batch_1',
    endpoint: '/v1/embeddings',
    inputFileId: 'file-1',
    metadata: null,
    outputExpiresAfterMs: 1,
    plan: { validateMs: 10, runMs: 1000, finalizeMs: 20, cancelMs: 30 },
    status: 'validating',
    createdMs,
    expiresMs: createdMs + windowMs,
    outputFileId: 'file-2',
    errorFileId: 'file-3',
    ...given
  })
}

const running = record({ status: 'in_progress', inProgressMs: createdMs + 10, inspection: sound })
const finalizing = record({
  ...running,
  status: 'finalizing',
  finalizingMs: createdMs + 1010,
  completed: 1000
})
const cancelling = record({ ...running, status: 'cancelling', cancellingMs: createdMs + 500 })

test.each<[string, BatchRecord, number, Step]>([
  ['unread input is read at once', record({}), 0, { kind: 'inspect' }],
  [
    'what was read waits for its time',
    record({ inspection: sound }),
    9,
    { kind: 'wait', untilMs: createdMs + 10 }
  ],
  ['then the job begins', record({ inspection: sound }), 10, { kind: 'begin' }],
  ['or fails', record({ inspection: flawed }), 10, { kind: 'fail' }],
  ['no line is due at first', running, 10, { kind: 'wait', untilMs: createdMs + 20 }],
  ['half of the time is half of the lines', running, 510, { kind: 'run', untilLine: 500 }],
  [
    'all lines are due at the end',
    record({ ...running, completed: 990, failed: 3 }),
    1010,
    { kind: 'run', untilLine: 1000 }
  ],
  [
    'when all have run the job finalizes',
    record({ ...running, completed: 997, failed: 3 }),
    1010,
    { kind: 'finalize' }
  ],
  [
    'a fast one waits for its time',
    record({ ...running, completed: 1000 }),
    800,
    { kind: 'wait', untilMs: createdMs + 1010 }
  ],
  ['finalizing takes its time', finalizing, 1029, { kind: 'wait', untilMs: createdMs + 1030 }],
  ['and ends', finalizing, 1030, { kind: 'complete' }],
  ['finalizing does not expire', finalizing, windowMs + 1, { kind: 'complete' }],
  ['a cancel takes its time', cancelling, 529, { kind: 'wait', untilMs: createdMs + 530 }],
  ['and ends', cancelling, 530, { kind: 'cancel' }],
  ['a job expires while it runs', running, windowMs, { kind: 'expire' }],
  ['and while it is validated', record({}), windowMs, { kind: 'expire' }],
  ['what has ended rests', record({ status: 'completed' }), windowMs, { kind: 'rest' }]
])('%s', (_name, batch, afterMs, step) => {
  expect(nextStep(batch, createdMs + afterMs)).toEqual(step)
})

test('a wait always ends later than now and not after the window', () => {
  const plan = fc.record({
    validateMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    runMs: fc.double({ min: 0, max: 2e8, noNaN: true }),
    finalizeMs: fc.constant(5),
    cancelMs: fc.constant(5)
  })
  const lines = fc.integer({ min: 1, max: 50_000 })
  fc.assert(
    fc.property(
      plan,
      lines,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(1e8),
      (given, count, share, afterMs) => {
        const batch = record({
          ...running,
          plan: given,
          inspection: { ...sound, lines: count },
          completed: Math.floor(count * share)
        })
        const step = nextStep(batch, createdMs + afterMs)
        if (step.kind === 'wait') {
          expect(step.untilMs).toBeGreaterThan(createdMs + afterMs)
          expect(step.untilMs).toBeLessThanOrEqual(createdMs + windowMs)
        }
        if (step.kind === 'run') expect(step.untilLine).toBeGreaterThan(batch.completed)
      }
    )
  )
})

test('most jobs take minutes to hours, some nearly a day, and none the whole window', () => {
  const random = new SeededRandom(1)
  const hours = Array.from({ length: 2000 }, () => {
    const { finalizeMs, runMs, validateMs } = planBatch({ kind: 'plausible' }, random)
    return (validateMs + runMs + finalizeMs) / 3_600_000
  }).toSorted((a, b) => a - b)
  const at = (share: number): number => hours[Math.floor(hours.length * share)]!
  expect(at(0.1)).toBeLessThan(0.3)
  expect(at(0.5)).toBeGreaterThan(0.4)
  expect(at(0.5)).toBeLessThan(1)
  expect(at(0.9)).toBeLessThan(6)
  expect(at(0.99)).toBeGreaterThan(12)
  expect(hours.at(-1)).toBeLessThan(24)
})

test('a fixed turnaround is met, and the parts of a life are never negative', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.nat(), (seconds, seed) => {
      const plan = planBatch({ kind: 'fixed', seconds }, new SeededRandom(seed))
      expect(plan.validateMs + plan.runMs + plan.finalizeMs).toBe(Math.round(seconds * 1000))
      for (const ms of Object.values(plan)) expect(ms).toBeGreaterThanOrEqual(0)
      expect(plan.cancelMs).toBeLessThanOrEqual(600_000)
    })
  )
})

test('no turnaround is no waiting at all', () => {
  const plan = planBatch(turnaroundSchema.parse({ kind: 'none' }), new SeededRandom(1))
  expect(plan).toEqual({ validateMs: 0, runMs: 0, finalizeMs: 0, cancelMs: 0 })
})

test('what is absent is null, and nothing is counted before the job begins', () => {
  expect(showBatch(record({ inspection: sound }))).toEqual({
    id: 'batch_1',
    object: 'batch',
    endpoint: '/v1/embeddings',
    model: 'text-embedding-3-small',
    errors: null,
    input_file_id: 'file-1',
    completion_window: '24h',
    status: 'validating',
    output_file_id: null,
    error_file_id: null,
    created_at: createdMs / 1000,
    in_progress_at: null,
    expires_at: createdMs / 1000 + 86_400,
    finalizing_at: null,
    completed_at: null,
    failed_at: null,
    expired_at: null,
    cancelling_at: null,
    cancelled_at: null,
    request_counts: { total: 0, completed: 0, failed: 0 },
    usage: {
      input_tokens: 0,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 0,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 0
    },
    metadata: null
  })
})
