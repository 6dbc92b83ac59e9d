import { Failure } from '@pointsman/core/domain/failure'
import { Gate } from '@pointsman/core/runtime/gate'
import { expect, test } from 'vitest'
import { ManualClock, settledMicrotasks } from '../../support/manual-clock.ts'

const never = new AbortController().signal

function openGate(): {
  gate: Gate
  clock: ManualClock
  checks: number[]
  warnings: string[]
  setUp: (up: boolean) => void
} {
  const clock = new ManualClock()
  const checks: number[] = []
  const warnings: string[] = []
  let isUp = false
  const check = async (): Promise<void> => {
    checks.push(clock.nowMs())
    if (!isUp) throw new Error('still down')
  }
  const gate = new Gate('index', check, { clock, warn: message => warnings.push(message), signal: never })
  const setUp = (up: boolean): void => {
    isUp = up
  }
  return { gate, clock, checks, warnings, setUp }
}

test('lets calls through while it is open', async () => {
  const { gate } = openGate()
  await expect(gate.run(() => Promise.resolve(7), never)).resolves.toBe(7)
  expect(gate.closure).toBeUndefined()
})

test('holds everybody back while it is closed, and opens when its check succeeds', async () => {
  const { clock, gate, setUp } = openGate()
  let passed = false
  gate.close('down')
  const passing = gate.pass(never).then(() => (passed = true))
  await clock.advance(10_000)
  expect(passed).toBe(false)
  expect(gate.closure?.reason).toBe('still down')
  setUp(true)
  await clock.advance(60_000)
  await passing
  expect(gate.closure).toBeUndefined()
})

test('waits longer after each failed check, up to half a minute', async () => {
  const { checks, clock, gate } = openGate()
  gate.close('down')
  await clock.advance(200_000)
  const gaps = checks.slice(1).map((at, index) => at - (checks[index] ?? 0))
  expect(gaps.slice(0, 4)).toEqual([500, 1_000, 2_000, 4_000])
  expect(gaps.at(-1)).toBe(30_000)
})

test('repeats a call that may be repeated, and rethrows what can never succeed', async () => {
  const { clock, gate, setUp } = openGate()
  setUp(true)
  let tries = 0
  const done = gate.run(async () => {
    tries += 1
    if (tries < 3) throw new Failure('STORE_UNAVAILABLE', 'down')
    return tries
  }, never)
  await clock.advance(5_000)
  await expect(done).resolves.toBe(3)
  const rejected = gate.run(() => Promise.reject(new Failure('STORE_REJECTED', 'bad object')), never)
  await expect(rejected).rejects.toThrow('bad object')
})

test('at a start, what needs an operator is thrown; later it is waited for', async () => {
  const { gate } = openGate()
  const unfit = (): Promise<never> => Promise.reject(new Failure('TOPIC_UNFIT', 'compacted'))
  await expect(gate.run(unfit, never, 'throw')).rejects.toThrow('compacted')
  const stop = new AbortController()
  const waiting = gate.run(unfit, stop.signal)
  await settledMicrotasks()
  expect(gate.closure?.reason).toBe('compacted')
  stop.abort(new Error('stopped'))
  await expect(waiting).rejects.toThrow('stopped')
})
