import { logLevel } from 'kafkajs'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { clientLogLevel, logBridge } from '@pointsman/core/adapters/kafka/log-bridge'

function logged(level: string): { readonly lines: unknown[]; readonly log: pino.Logger } {
  const lines: unknown[] = []
  return { lines, log: pino({ level }, { write: line => lines.push(JSON.parse(line)) }) }
}

test('lines of the client become ours, one level lower, and are heard by the listener', () => {
  const { lines, log } = logged('debug')
  const heard: string[] = []
  const print = logBridge(log, ({ log: { message } }) => heard.push(message))(logLevel.INFO)
  const entry = { message: 'Offset out of range', timestamp: '', topic: 't', partition: 2 }
  print({ namespace: 'ConsumerGroup', label: 'ERROR', level: logLevel.ERROR, log: entry })
  print({ namespace: 'ConsumerGroup', label: 'INFO', level: logLevel.INFO, log: entry })

  expect(lines).toEqual([
    expect.objectContaining({ level: 40, msg: 'kafka: Offset out of range', partition: 2 })
  ])
  expect(heard).toHaveLength(2)
})

test('errors are built at every level: the reader listens to them', () => {
  expect(clientLogLevel(logged('silent').log)).toBe(logLevel.ERROR)
  expect(clientLogLevel(logged('trace').log)).toBe(logLevel.INFO)
})
