import { expect, test } from 'vitest'
import { parseStackCommand } from '../../../tools/stack/stack-command.ts'

test('up takes its settings from the command line', () => {
  const args = [
    'up',
    '--name',
    'dev',
    '--parts',
    'kafka,redis',
    '--port',
    'redis=16379',
    '--async-indexing',
    '--json'
  ]

  expect(parseStackCommand(args)).toEqual({
    kind: 'up',
    name: 'dev',
    json: true,
    dataDir: undefined,
    parts: ['kafka', 'redis'],
    asyncIndexing: true,
    weaviateMemoryLimit: undefined,
    ports: { redis: 16_379 }
  })
})

test.each([
  [[], 'a command is missing'],
  [['fly'], 'unknown command: fly'],
  [['up', 'now'], 'unexpected argument: now'],
  [['up', '--nmae', 'x'], '--nmae'],
  [['up', '--parts', 'kafka,mongo'], 'no part mongo'],
  [['up', '--port', 'redis=99999'], '1 to 65535'],
  [['up', '--port', 'mongo=1'], 'NAME=PORT'],
  [['up', '--name', '../elsewhere'], '--name takes'],
  [['down', '--data', '/tmp'], '--data goes with up only']
])('%j is refused with the reason', (args, reason) => {
  expect(parseStackCommand(args)).toEqual({ kind: 'wrong', reason: expect.stringContaining(reason) })
})

test('help is given whatever else is asked', () => {
  expect(parseStackCommand(['up', '--help'])).toEqual({ kind: 'help' })
})
