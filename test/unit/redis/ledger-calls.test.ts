import { LedgerCalls } from '@pointsman/core/adapters/redis/ledger-calls'
import { loadScript } from '@pointsman/core/adapters/redis/script'
import type { Redis } from 'ioredis'
import { expect, test } from 'vitest'

test('what a call was answered is not forgotten when the answer of an earlier one comes later', async () => {
  const told: string[] = []
  const answers: ((reply: unknown) => void)[] = []
  const redis = {
    callBuffer: (_command: string, _sha: string, _keys: number, _prefix: string, known: string) => {
      told.push(known)
      return new Promise(resolve => answers.push(resolve))
    }
  }
  const reply = (serial: number, run: string): unknown => [[Buffer.from(String(serial)), Buffer.from(run)], 1]
  const calls = new LedgerCalls(redis as unknown as Redis, 'test', script => script)
  const script = loadScript('server-run', 'ledger', 'state')
  const opened = calls.open(script, () => 'id')
  answers[0]?.(reply(3, 'aa'))
  await opened

  const [early, late] = [calls.run(script), calls.run(script)]
  answers[2]?.(reply(9, 'aa'))
  await late
  answers[1]?.(reply(5, 'bb'))
  await early
  const last = calls.run(script)
  answers[3]?.(reply(10, 'aa'))
  await last
  expect(told).toEqual(['  0 any', 'id aa 3 this', 'id aa 3 this', 'id aa 9 this'])
})
