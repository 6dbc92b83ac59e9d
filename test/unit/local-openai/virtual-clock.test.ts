import { VirtualClock } from '@pointsman/local-openai/virtual-clock'
import { expect, test } from 'vitest'

const never = new AbortController().signal
const hourMs = 3_600_000

test('it flows as many times as fast as real time', async () => {
  const clock = new VirtualClock(1000, 100_000)
  const startMs = performance.now()
  await clock.wait(hourMs, never)
  expect(performance.now() - startMs).toBeLessThan(2000)
  expect(clock.nowMs()).toBeGreaterThanOrEqual(1000 + hourMs)
})

test('a standing clock moves only when it is told to', async () => {
  const clock = new VirtualClock(1000, 0)
  let woken = false
  const waiting = clock.wait(hourMs, never).then(() => (woken = true))
  await clock.advance(hourMs - 1)
  expect([clock.nowMs(), woken]).toEqual([1000 + hourMs - 1, false])
  await clock.advance(1)
  await waiting
  expect(clock.nowMs()).toBe(1000 + hourMs)
})

test('whoever is due on the way is woken at his own moment, in order, also when he waits again', async () => {
  const clock = new VirtualClock(0, 0)
  const seen: string[] = []
  async function visit(name: string, ...waitsMs: number[]): Promise<void> {
    for (const ms of waitsMs) {
      await clock.wait(ms, never)
      seen.push(`${name} ${clock.nowMs()}`)
    }
  }
  const visits = [visit('a', 30, 30), visit('b', 10, 10, 10), visit('c', 100)]
  await clock.advance(90)
  expect(seen).toEqual(['b 10', 'b 20', 'a 30', 'b 30', 'a 60'])
  await clock.advance(10)
  await Promise.all(visits)
  expect(seen.at(-1)).toBe('c 100')
})

test('advancing waits for the work that it sets going', async () => {
  const clock = new VirtualClock(0, 0)
  let worked = false
  async function job(): Promise<void> {
    await clock.wait(10, never)
    using _work = clock.work()
    await new Promise(resolve => setTimeout(resolve, 30))
    worked = true
  }
  const running = job()
  await clock.advance(10)
  expect(worked).toBe(true)
  await running
})

test('while somebody works a fast clock does not run ahead', async () => {
  const clock = new VirtualClock(0, 1e9)
  {
    using _work = clock.work()
    const startMs = clock.nowMs()
    await new Promise(resolve => setTimeout(resolve, 20))
    expect(clock.nowMs() - startMs).toBeLessThan(5000)
  }
  const endMs = clock.nowMs()
  await expect.poll(() => clock.nowMs() - endMs).toBeGreaterThan(1e6)
})

test('however late a timer is, nobody finds that his moment has long passed', async () => {
  const clock = new VirtualClock(0, 1e4)
  const woken = clock.wait(60_000, never).then(() => clock.nowMs())
  const latestMs = clock.nowMs() + 60_000
  const untilMs = performance.now() + 200
  while (performance.now() < untilMs) expect(clock.nowMs()).toBeLessThanOrEqual(latestMs)
  // 200 ms are 2,000,000 ms of this clock.
  expect(await woken).toBeLessThan(latestMs + 1_000_000)
})

test('a change of speed wakes nobody early and never turns time back', async () => {
  const clock = new VirtualClock(0, 1000)
  let last = 0
  for (const factor of [0, 50, 1, 1e6, 0, 7]) {
    clock.factor = factor
    expect(clock.nowMs()).toBeGreaterThanOrEqual(last)
    last = clock.nowMs()
  }
  clock.factor = 0
  const target = clock.nowMs() + hourMs
  const waiting = clock.wait(hourMs, never)
  clock.factor = 1e7
  await waiting
  expect(clock.nowMs()).toBeGreaterThanOrEqual(target)
})

test('whoever is called off is told so and holds up nobody', async () => {
  const clock = new VirtualClock(0, 0)
  const stop = new AbortController()
  const waiting = clock.wait(10, stop.signal)
  stop.abort()
  await expect(waiting).rejects.toThrow('aborted')
  await clock.advance(100)
  expect(clock.nowMs()).toBe(100)
})
