import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { supervise } from '@pointsman/core/adapters/kafka/supervise'

const log = pino({ level: 'silent' })

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'Date'] }))
afterEach(() => vi.useRealTimers())

test('lives again after every death, ends each life, and stops when told', async () => {
  const stop = new AbortController()
  const ended: number[] = []
  const lost: string[] = []
  let lives = 0
  const first = supervise(
    () => {
      lives += 1
      const life = lives
      return {
        live: async () => {
          if (life === 1) throw new Error('brokers are down')
          if (life === 3) stop.abort()
          return `crash ${life}`
        },
        end: async () => void ended.push(life)
      }
    },
    reason => lost.push(reason),
    log,
    stop.signal
  )
  await vi.runAllTimersAsync()
  await first

  expect(lost).toEqual(['brokers are down', 'crash 2'])
  expect(ended).toEqual([1, 2, 3])
})
