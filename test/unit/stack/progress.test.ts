import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openProgress } from '../../../tools/stack/progress.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('without a terminal it says now and then how far it is and how long it may take', () => {
  const said: string[] = []
  const progress = openProgress({ isLive: false, write: text => void said.push(text) })

  const task = progress.begin('the server', 100_000)
  vi.advanceTimersByTime(15_000)
  task.reach(0.25)
  vi.advanceTimersByTime(15_000)
  task.done()
  vi.advanceTimersByTime(60_000)
  progress.close()

  expect(said).toEqual([
    'fetching the server (usually about 2 min)\n',
    'the server, about 85 s left\n',
    'the server 25 %, about 2 min left\n',
    'fetched the server after 30 s\n'
  ])
})

test('on a terminal one line, never longer than that is wide, is written over and over', () => {
  const said: string[] = []
  const progress = openProgress({ isLive: true, columns: 20, write: text => void said.push(text) })

  progress.begin('the server', 60_000).reach(0.5)
  vi.advanceTimersByTime(10_000)
  progress.close()

  const live = said.slice(1, -1)
  expect(live.length).toBeGreaterThan(10)
  expect(live[0]).toBe('\r\u001b[Kthe server 50 %, abo')
  expect(live.every(text => text.startsWith('\r\u001b[K') && !text.includes('\n'))).toBe(true)
})
