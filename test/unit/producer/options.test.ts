import { expect, test } from 'vitest'
import { parseCommandLine } from '../../../services/producer/src/command-line.ts'
import { loadConfig } from '../../../services/producer/src/config.ts'
import { ProducerUnderTest } from '../../support/producer-under-test.ts'

test('a run narrowed to some kinds of files leaves the others as they are', async () => {
  await using producer = new ProducerUnderTest()
  producer.write('a.md', 'one')
  producer.write('b.txt', 'two')
  producer.write('c.md', 'three')
  await producer.run()
  producer.remove('b.txt')
  producer.remove('c.md')

  const { sent } = await producer.run(undefined, { options: { only: new Set(['.md']) } })

  expect(sent).toMatchObject([{ docId: 'c.md', deleted: true }])
})

test('texts that are missing keep their documents when that is asked for', async () => {
  await using producer = new ProducerUnderTest()
  producer.write('a.md', 'one')
  producer.write('b.md', 'two')
  await producer.run()
  producer.remove('b.md')

  const { sent } = await producer.run(undefined, { options: { keepMissing: true } })

  expect(sent).toEqual([])
})

test('every problem of a command line is named at once', () => {
  const parse = () =>
    parseCommandLine(['--foo', '--chunk-tokens', '5', '--only', 'md,exe', '--json=1', '--run'])
  expect(parse).toThrow(
    [
      'unknown option --foo',
      '--json takes no value',
      '--run needs a value',
      'name at least one file or folder, or - for standard input',
      '--chunk-tokens must be an integer from 16 to 8000',
      '--overlap-tokens must be an integer from 0 to half of --chunk-tokens',
      '--only: files of kind .exe are not read'
    ].join('\n')
  )
})

test('what has no end is not followed, and what follows has none to speak of', () => {
  const parse = () => parseCommandLine(['docs', '-', '--follow', '--estimate', '--strict'])
  for (const reason of [
    'standard input is read until it ends',
    'choose one',
    '--strict is about how a run ends'
  ])
    expect(parse).toThrow(reason)
  expect(parseCommandLine(['docs', '--follow', '--allow-empty'])).toMatchObject({ follow: true })
})

test('a command line is read in any order', () => {
  const { paths, options, json } = parseCommandLine([
    'docs',
    '--json',
    '-',
    '--no-split',
    '--only=.MD',
    '--run',
    'r1'
  ])
  expect(paths).toEqual(['docs', '-'])
  expect(json).toBe(true)
  expect(options).toMatchObject({ split: false, run: 'r1', only: new Set(['.md']), chunkTokens: 400 })
})

test('what is remembered does not depend on the working directory', () => {
  const env = { KAFKA_BROKERS: 'a:1', SCHEMA_REGISTRY_URL: 'http://a' }
  expect(loadConfig({ ...env, HOME: '/home/me' }).stateDir).toBe('/home/me/.local/state/pointsman')
  expect(loadConfig({ ...env, HOME: '/home/me', XDG_STATE_HOME: '/x' }).stateDir).toBe('/x/pointsman')
  expect(loadConfig({ ...env, POINTSMAN_STATE_DIR: '/s' }).stateDir).toBe('/s')
})
