import type { ObligationId } from '@pointsman/core/domain/identity'
import { expect, test } from 'vitest'
import { OpenManifest } from '../../../services/embedder-batch/src/open-manifest.ts'
import { pollIntervalMs } from '../../../services/embedder-batch/src/poll-interval.ts'

const limits = { lines: 10, tokens: 100, bytes: 1_000 }
const one = { lines: 1, tokens: 1, bytes: 1 }

function aManifest(): { readonly open: OpenManifest; readonly clock: { nowMs: number } } {
  const clock = { nowMs: 0 }
  let last = 0
  const newId = (): ObligationId => {
    last += 1
    return `1.1.${last}` as ObligationId
  }
  return {
    open: new OpenManifest({ newId, lineBytes: text => text.length, nowMs: () => clock.nowMs }),
    clock
  }
}

function someTexts(count: number, text = 'abc', tokens = 1): readonly { text: string; tokens: number }[] {
  return Array.from({ length: count }, () => ({ text, tokens }))
}

test.each([
  ['lines', someTexts(10)],
  ['tokens', someTexts(2, 'abc', 50)],
  ['bytes', someTexts(2, 'a'.repeat(500))]
] as const)('a manifest that is full by %s is left for another', (_, texts) => {
  const { open } = aManifest()
  const first = open.roomFor(one, limits)
  open.note(first, texts)
  const second = open.roomFor(one, limits)
  expect(second).not.toBe(first)
  expect(open.fill).toEqual({ lines: 0, tokens: 0, bytes: 0 })
  expect(open.takeDue(1_000)).toEqual([first])
})

test('what is too large for any manifest goes into an empty one', () => {
  const { open } = aManifest()
  const first = open.roomFor({ lines: 99, tokens: 1, bytes: 1 }, limits)
  expect(open.roomFor({ lines: 99, tokens: 1, bytes: 1 }, limits)).toBe(first)
})

test('the first text waits for company as long as told, an empty manifest is never due', () => {
  const { clock, open } = aManifest()
  const id = open.roomFor(one, limits)
  clock.nowMs = 5_000
  expect(open.takeDue(1_000)).toEqual([])
  open.note(id, someTexts(1))
  clock.nowMs = 5_900
  open.note(id, someTexts(1))
  expect(open.takeDue(1_000)).toEqual([])
  clock.nowMs = 6_000
  expect(open.takeDue(1_000)).toEqual([id])
  expect(open.takeDue(0)).toEqual([])
})

test('one that the ledger closed is forgotten, and nothing is counted for it any more', () => {
  const { open } = aManifest()
  const id = open.roomFor(one, limits)
  open.closed(id)
  open.note(id, someTexts(3))
  expect(open.fill.lines).toBe(0)
  expect(open.roomFor(one, limits)).not.toBe(id)
  expect(open.takeDue(0)).toEqual([])
})

test('young jobs are looked at often, old ones seldom, and not all at the same moment', () => {
  const bounds = { minPollMs: 5_000, maxPollMs: 60_000 }
  expect(pollIntervalMs(0, bounds, 0.5)).toBe(5_000)
  expect(pollIntervalMs(10 * 60_000, bounds, 0.5)).toBe(30_000)
  expect(pollIntervalMs(24 * 3_600_000, bounds, 0.5)).toBe(60_000)
  expect(pollIntervalMs(0, bounds, 0)).toBe(3_750)
})

test('what went into it by an admission whose answer was lost waits no longer than other texts', () => {
  const { clock, open } = aManifest()
  const id = open.roomFor(one, limits)
  open.found(id, 0)
  clock.nowMs = 5_000
  expect(open.takeDue(1_000)).toEqual([])
  open.found(id, 3)
  clock.nowMs = 5_500
  open.found(id, 3)
  clock.nowMs = 6_000
  expect(open.takeDue(1_000)).toEqual([id])
})
