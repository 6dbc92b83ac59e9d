import type { ObligationId } from '@pointsman/core/domain/identity'
import type { PastJob } from '@pointsman/core/ports/ledger'
import { expect, test } from 'vitest'
import { nextManifestLines } from '../../../services/embedder-batch/src/manifest-size.ts'
import { jobOf } from '../../support/job.ts'

const bounds = { minLines: 1_000, maxLines: 50_000 }
const hourMs = 3_600_000

function aJob(lines: number, completed: number, hours: number, order: PastJob['order'] = ''): PastJob {
  const failed = lines - completed
  const job = jobOf({
    creates: 1,
    lines,
    completed,
    failed,
    status: 'completed',
    endedMs: hours * hourMs,
    order
  })
  return { ...job, manifest: '1.1.1' as ObligationId, sinceMs: 0, archivedMs: 0 }
}

test('without a history, manifests are as large as allowed', () => {
  expect(nextManifestLines([], bounds)).toBe(50_000)
})

test('a job with too many lines undone halves the next one, down to the least', () => {
  expect(nextManifestLines([aJob(50_000, 30_000, 1)], bounds)).toBe(25_000)
  const bad = [1_500, 3_000, 6_000, 12_000].map(lines => aJob(lines, 0, 24))
  expect(nextManifestLines(bad, bounds)).toBe(1_000)
})

test('quick good jobs let it grow again; slow ones keep it as it is', () => {
  const small = aJob(8_000, 0, 24)
  expect(nextManifestLines([aJob(4_000, 4_000, 1), small], bounds)).toBe(8_000)
  expect(nextManifestLines([aJob(4_000, 4_000, 20), small], bounds)).toBe(4_000)
})

test('a small job that failed says nothing about large ones that had not been tried, but is believed', () => {
  expect(nextManifestLines([aJob(2_000, 100, 1)], bounds)).toBe(1_000)
})

test('what an operator ended, and jobs without lines, count for nothing', () => {
  expect(nextManifestLines([aJob(50_000, 10, 1, 'cancel'), aJob(0, 0, 0)], bounds)).toBe(50_000)
})
