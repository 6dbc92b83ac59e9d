import { redisLedger } from '@pointsman/core/adapters/redis/open-ledger'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'

const never = new Redis({ lazyConnect: true })

test('a trace of another namespace than that of the ledger is refused: it would fill a Redis that is in use', () => {
  const open = (): unknown =>
    redisLedger(never, { POINTSMAN_NAMESPACE: 'prod', POINTSMAN_LEDGER_TRACE: '1' }, 'a', () => undefined)
  expect(open).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

test('who asks for a trace is warned of it, and nobody else', () => {
  const warnings: string[] = []
  const warn = (text: string): void => void warnings.push(text)
  redisLedger(never, { POINTSMAN_NAMESPACE: 'chaos' }, 'a', warn)
  expect(warnings).toEqual([])
  redisLedger(never, { POINTSMAN_NAMESPACE: 'chaos', POINTSMAN_LEDGER_TRACE: 'chaos' }, 'a', warn)
  expect(warnings.join()).toContain('{chaos}.trace')
})
