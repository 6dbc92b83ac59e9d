import { expect, test } from 'vitest'
import { formatDuration, formatRate, formatUsd } from '../../../services/controller/src/cli/format.ts'
import { progressLine } from '../../../services/controller/src/cli/progress-line.ts'

test('the line of progress says how far, how fast, how long still and for how much', () => {
  const progress = { done: 136, total: 253, failed: 12, perSecond: 2.5, etaMs: 47_000, usd: 0.0021 }
  expect(progressLine(progress)).toBe('136/253 (53.8 %) | failed 12 | 2.5 docs/s | ETA 47 s | $0.0021')
})

test('what is not known is left out', () => {
  const progress = { done: 0, total: 1200, failed: 0, perSecond: null, etaMs: null, usd: null }
  expect(progressLine(progress)).toBe('0/1,200 (0.0 %)')
})

test('nothing to do is done', () => {
  const progress = { done: 0, total: 0, failed: 0, perSecond: 0, etaMs: 0, usd: 0 }
  expect(progressLine(progress)).toBe('0/0 (100.0 %) | 0.0 docs/s | $0.0000')
})

test('durations, rates and sums are written as people read them', () => {
  expect([999, 47_000, 200_000, 7_500_000, 300_000_000, null].map(formatDuration)).toEqual([
    '999 ms',
    '47 s',
    '3 min 20 s',
    '2 h 5 min',
    '3 d 11 h',
    '–'
  ])
  expect([2.54, 1234.5, null].map(formatRate)).toEqual(['2.5', '1,235', '–'])
  expect([0.00214, 12.345, null].map(formatUsd)).toEqual(['$0.0021', '$12.35', '–'])
})
